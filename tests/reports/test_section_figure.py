"""Pictures of sections: their size, what they show, and stable bytes."""

from pathlib import Path

import numpy as np
import pytest

from saltseg.reports.section_figure import SectionPicture, draw_section
from tests.helpers.pictures import coloured, is_stable, read


def section(shape: tuple[int, int], truth: bool = False, chances: bool = True) -> SectionPicture:
    mask = np.zeros(shape, bool)
    mask[: shape[0] // 2] = True
    image = np.random.default_rng(0).normal(size=shape)
    return SectionPicture(
        image,
        mask,
        mask.astype(np.float32) if chances else None,
        ~mask if truth else None,
        limits=(-2, 2),
    )


@pytest.mark.parametrize(
    ("shape", "least"),
    [((101, 101), (500, 1000)), ((300, 900), (600, 900)), ((900, 60), (900, 120))],
)
def test_a_pixel_of_the_image_is_one_of_the_picture_at_least(
    tmp_path: Path, shape: tuple[int, int], least: tuple[int, int]
) -> None:
    draw_section(tmp_path / "a.png", section(shape))
    picture = read(tmp_path / "a.png")
    assert picture.shape[0] >= least[0] and picture.shape[1] >= max(least[1], 680)


def test_salt_is_coloured_and_rock_is_grey(tmp_path: Path) -> None:
    draw_section(tmp_path / "a.png", section((200, 500), chances=False))
    picture = read(tmp_path / "a.png")[60:260, 70:570]
    assert coloured(picture[10:90, 10:-10]).mean() > 0.95
    assert not coloured(picture[110:190, 10:-10]).any()


def test_the_truth_changes_the_colours_and_bytes_are_stable(tmp_path: Path) -> None:
    made = []
    for truth in (True, True, False):
        draw_section(tmp_path / "a.png", section((60, 90), truth))
        made.append((tmp_path / "a.png").read_bytes())
    assert is_stable(*made[:2])
    assert made[2] != made[0]
