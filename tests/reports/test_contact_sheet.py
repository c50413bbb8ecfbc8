"""Contact sheets: which crop lies where, what is painted over it, and stable bytes."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from saltseg.reports.contact_sheet import COLUMNS, WIDTH, Group, Tile, contact_sheet
from saltseg.reports.palette import FALSE, HIT, MISSED, PREDICTION, TRUTH, Colour, Paint
from saltseg.reports.panels import compared
from tests.helpers.pictures import Picture, coloured, is_stable, read

TOP = 12 + 34  # the margin, and the heading of the first group
CELL = (WIDTH - 12) // COLUMNS
SIDE = CELL - 12


def grey(level: int) -> npt.NDArray[np.uint8]:
    return np.full((101, 101), level, np.uint8)


def half(left: bool) -> npt.NDArray[np.bool_]:
    mask = np.zeros((101, 101), bool)
    mask[:, :50] = left
    mask[:, 50:] = not left
    return mask


def tile(picture: Picture, row: int, column: int) -> Picture:
    """The inner part of a tile of the first group of a sheet without a legend."""
    top = TOP + row * (18 + SIDE + 12) + 18
    left = 12 + column * CELL
    return picture[top + 4 : top + SIDE - 4, left + 4 : left + SIDE - 4]


def painted(level: int, colour: Colour, opacity: float) -> npt.NDArray[np.float64]:
    return (1 - opacity) * level + opacity * np.array(colour)


def test_crops_come_row_by_row_on_a_sheet_that_fits_a_page(tmp_path: Path) -> None:
    levels = [10, 60, 110, 160, 210]
    contact_sheet(tmp_path / "a.png", [Group("five", [Tile(grey(level)) for level in levels])])
    picture = read(tmp_path / "a.png")
    found = [tile(picture, *divmod(at, COLUMNS)).mean() for at in range(5)]
    assert found == pytest.approx(levels, abs=1)
    assert (tile(picture, 1, 1) == 255).all()
    assert picture.shape[1] == WIDTH <= 1200


@pytest.mark.parametrize("paint", [TRUTH, PREDICTION, HIT, MISSED, FALSE])
def test_a_mask_is_a_translucent_fill_of_its_colour(tmp_path: Path, paint: Paint) -> None:
    contact_sheet(tmp_path / "a.png", [Group("", [Tile(grey(120), [(half(True), paint)])])])
    shown = tile(read(tmp_path / "a.png"), 0, 0)
    inside, outside = shown[:, : SIDE // 2 - 12], shown[:, SIDE // 2 + 4 :]
    expected = painted(120, paint.colour, paint.opacity)
    np.testing.assert_allclose(inside.reshape(-1, 3).mean(axis=0), expected, atol=2)
    assert not coloured(outside).any()


def test_hit_missed_and_false_are_told_apart_by_the_truth() -> None:
    truth, predicted = np.array([[1, 1, 0, 0]], bool), np.array([[1, 0, 1, 0]], bool)
    layers = {paint: mask.tolist() for mask, paint in compared(truth, predicted)}
    assert layers == {
        HIT: [[True, False, False, False]],
        MISSED: [[False, True, False, False]],
        FALSE: [[False, False, True, False]],
    }


def test_a_single_pixel_of_salt_is_seen_and_no_salt_draws_nothing(tmp_path: Path) -> None:
    masks = np.zeros((2, 101, 101), bool)
    masks[0, 40, 60] = True
    tiles = [Tile(grey(128), [(mask, PREDICTION)]) for mask in masks]
    contact_sheet(tmp_path / "a.png", [Group("", tiles)])
    picture = read(tmp_path / "a.png")
    rows, columns = np.nonzero(coloured(tile(picture, 0, 0)))
    scale = SIDE / 101
    place = ((rows.mean() + 4) / scale, (columns.mean() + 4) / scale)
    assert place == pytest.approx((40.5, 60.5), abs=0.6)
    assert not coloured(tile(picture, 0, 1)).any()


def test_each_group_starts_a_row_below_its_heading(tmp_path: Path) -> None:
    groups = [Group("first", [Tile(grey(50))]), Group("second", [Tile(grey(200), title="id")])]
    contact_sheet(tmp_path / "a.png", groups, [HIT])
    contact_sheet(tmp_path / "b.png", [Group("none", [])])
    both = read(tmp_path / "a.png")
    assert (both[:40] < 255).any(axis=2).sum() > 50 and coloured(both[:40]).any()
    assert len(both) > 2 * SIDE and len(read(tmp_path / "b.png")) < SIDE
    column = both[:, 12 + SIDE // 2].mean(axis=1).round()
    assert all((abs(column - level) <= 1).sum() > SIDE - 8 for level in (50, 200))


def test_bytes_are_stable(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (101, 101), dtype=np.uint8)
    made = []
    for name in ("a.png", "b.png"):
        tiles = [Tile(image, compared(half(True), half(False)), "title")]
        contact_sheet(tmp_path / name, [Group("heading", tiles)], [HIT, MISSED, FALSE])
        made.append((tmp_path / name).read_bytes())
    assert is_stable(*made)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
