"""Contact sheets and charts: what they show, of which crops, and that their bytes are stable."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from saltseg.reports.figures import (
    PREDICTION,
    TRUTH,
    bar_chart,
    contact_sheet,
    line_chart,
    spread_evenly,
    spread_over_coverage,
)

SIDE = 2 * 101
GAP = 6


def read(path: Path) -> npt.NDArray[np.int64]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(np.int64)


def disc(radius: float) -> npt.NDArray[np.bool_]:
    rows, columns = np.mgrid[:101, :101] - 50
    return np.hypot(rows, columns) <= radius


def tile(picture: npt.NDArray[np.int64], row: int, column: int) -> npt.NDArray[np.int64]:
    """The enlarged crop at a place of an untitled sheet."""
    top, left = (GAP + place * (SIDE + GAP) for place in (row, column))
    return picture[top : top + SIDE, left : left + SIDE]


def coloured(pixels: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    return np.ptp(pixels, axis=-1) > 40


def test_crops_come_row_by_row(tmp_path: Path) -> None:
    greys = np.array([10, 60, 110, 160, 210], dtype=np.uint8)
    images = np.broadcast_to(greys[:, None, None], (5, 101, 101))

    contact_sheet(tmp_path / "sheet.png", images, columns=2)

    picture = read(tmp_path / "sheet.png")
    assert [tile(picture, *divmod(index, 2)).mean() for index in range(5)] == greys.tolist()
    assert picture.shape == (3 * (SIDE + GAP) + GAP, 2 * (SIDE + GAP) + GAP, 3)
    assert (tile(picture, 2, 1) == 255).all()


def test_an_outline_is_a_thin_line_at_the_edge_of_the_mask(tmp_path: Path) -> None:
    contact_sheet(
        tmp_path / "sheet.png",
        np.full((1, 101, 101), 128, dtype=np.uint8),
        [(disc(30)[None], TRUTH)],
    )

    line = coloured(tile(read(tmp_path / "sheet.png"), 0, 0))
    radius = np.hypot(*(np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2)) / 2
    assert not line[np.abs(radius - 30) > 1.5].any()
    assert line.sum() < 2.5 * 2 * np.pi * 60


def test_an_outline_follows_the_border_of_the_crop(tmp_path: Path) -> None:
    contact_sheet(
        tmp_path / "sheet.png",
        np.full((1, 101, 101), 128, dtype=np.uint8),
        [(np.ones((1, 101, 101), dtype=bool), TRUTH)],
    )

    line = coloured(tile(read(tmp_path / "sheet.png"), 0, 0))
    assert line[0].all() and line[-1].all() and line[:, 0].all() and line[:, -1].all()
    assert not line[2:-2, 2:-2].any()


def test_a_single_pixel_of_salt_is_seen_and_no_salt_draws_nothing(tmp_path: Path) -> None:
    images = np.full((2, 101, 101), 128, dtype=np.uint8)
    masks = np.zeros((2, 101, 101), dtype=bool)
    masks[0, 40, 60] = True

    contact_sheet(tmp_path / "sheet.png", images, [(masks, PREDICTION)])

    picture = read(tmp_path / "sheet.png")
    rows, columns = np.nonzero(coloured(tile(picture, 0, 0)))
    assert (rows.mean() / 2, columns.mean() / 2) == pytest.approx((40.25, 60.25), abs=0.3)
    assert not coloured(tile(picture, 0, 1)).any()


def test_titles_stand_above_their_crops(tmp_path: Path) -> None:
    images = np.full((2, 101, 101), 128, dtype=np.uint8)

    contact_sheet(tmp_path / "sheet.png", images, titles=["", "abc"])

    picture = read(tmp_path / "sheet.png")
    assert (picture[:16, : SIDE + GAP] == 255).all()
    assert (picture[:20, SIDE + GAP :] < 128).any()


def test_no_crops_make_an_empty_sheet(tmp_path: Path) -> None:
    contact_sheet(tmp_path / "sheet.png", np.zeros((0, 101, 101), dtype=np.uint8))

    assert (read(tmp_path / "sheet.png") == 255).all()


def test_bytes_are_stable_and_name_no_software(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 101, 101), dtype=np.uint8)
    names = [tmp_path / name for name in ("a.png", "b.png", "c.png", "d.png", "e.png", "f.png")]

    for path in names[:2]:
        contact_sheet(path, images, [(disc(20)[None].repeat(3, 0), TRUTH)], ["x", "y", "z"])
    for path in names[2:4]:
        line_chart(path, [0, 1], {"fold 0": [1, 2], "fold 1": [2, 1]}, "x", "y", "title")
    for path in names[4:]:
        bar_chart(path, [0, 1], {"train": [1, 2]}, "x", "y", "title")

    content = [path.read_bytes() for path in names]
    assert content[::2] == content[1::2]
    assert not any(b"tEXt" in png or b"tIME" in png for png in content)
    assert sorted(tmp_path.iterdir()) == names


def with_salt(*pixels: int) -> npt.NDArray[np.bool_]:
    """One mask for each number of salt pixels."""
    return np.arange(101 * 101).reshape(1, 101, 101) < np.array(pixels)[:, None, None]


def test_places_are_spread_evenly_from_the_first_to_the_last() -> None:
    assert spread_evenly(10, 4).tolist() == [0, 3, 6, 9]
    assert spread_evenly(6, 4).tolist() == [0, 1, 3, 5]
    assert spread_evenly(3, 8).tolist() == [0, 1, 2]
    assert spread_evenly(3, 1).tolist() == [0]
    assert spread_evenly(0, 4).tolist() == spread_evenly(4, 0).tolist() == []


def test_the_chosen_crops_go_from_no_salt_to_the_most() -> None:
    pixels = np.random.default_rng(5).permutation(np.r_[np.zeros(100, int), 1:301])

    chosen = pixels[spread_over_coverage(with_salt(*pixels), 64)]

    assert len(chosen) == 64
    assert chosen[:8].tolist() == [0] * 8
    assert chosen[8] == 1 and chosen[-1] == 300
    assert (np.diff(chosen[8:]) > 0).all() and np.diff(chosen[8:]).max() <= 6


def test_few_crops_are_all_chosen_once() -> None:
    chosen = spread_over_coverage(with_salt(3, 0, 2), 64)

    assert chosen.tolist() == [1, 2, 0]


def test_a_set_without_salt_still_gives_a_choice() -> None:
    assert len(spread_over_coverage(with_salt(0, 0, 0), 64)) == 3
