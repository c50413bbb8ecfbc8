"""Measures of masks against plain loops over pixels."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from saltseg.scoring.pixel_measures import (
    boundary_distance,
    dice,
    iou,
    pixel_precision,
    pixel_recall,
)

Masks = npt.NDArray[np.bool_]


@pytest.fixture(scope="module")
def pair() -> tuple[Masks, Masks]:
    """Blocks of salt of random places and sizes; the first masks are empty or full."""
    generator = np.random.default_rng(3)
    masks = np.zeros((2, 12, 20, 24), bool)
    for mask in masks.reshape(-1, 20, 24):
        row, column = generator.integers(0, 15, 2)
        height, width = generator.integers(1, 12, 2)
        mask[row : row + height, column : column + width] = True
    masks[:, 0] = False
    masks[0, 1], masks[1, 2] = False, False
    masks[:, 3] = True
    return masks[0], masks[1]


def pixels(mask: Masks) -> set[tuple[int, int]]:
    return {(int(row), int(column)) for row, column in np.argwhere(mask)}


def edge(mask: Masks) -> set[tuple[int, int]]:
    salt = pixels(mask)
    inside = {(row, column) for row in range(mask.shape[0]) for column in range(mask.shape[1])}
    steps = ((0, 1), (1, 0), (0, -1), (-1, 0))
    return {
        (row, column)
        for row, column in salt
        if any((row + down, column + along) in inside - salt for down, along in steps)
    }


def test_iou_and_dice_of_each_crop(pair: tuple[Masks, Masks]) -> None:
    sets = [(pixels(one), pixels(other)) for one, other in zip(*pair, strict=True)]
    expected = [len(a & b) / len(a | b) if a | b else 1.0 for a, b in sets]
    assert iou(*pair).tolist() == pytest.approx(expected)
    expected = [2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for a, b in sets]
    assert dice(*pair).tolist() == pytest.approx(expected)


def test_precision_and_recall_of_all_pixels(pair: tuple[Masks, Masks]) -> None:
    sets = [(pixels(one), pixels(other)) for one, other in zip(*pair, strict=True)]
    both = sum(len(a & b) for a, b in sets)
    assert pixel_precision(*pair) == pytest.approx(both / sum(len(a) for a, _ in sets))
    assert pixel_recall(*pair) == pytest.approx(both / sum(len(b) for _, b in sets))
    nothing = np.zeros((1, 4, 4), bool)
    assert math.isnan(pixel_precision(nothing, ~nothing)) and pixel_recall(nothing, ~nothing) == 0


def test_boundary_distance_is_that_of_all_pairs_of_boundary_pixels(
    pair: tuple[Masks, Masks],
) -> None:
    for ours, theirs, found in zip(*pair, boundary_distance(*pair), strict=True):
        a, b = edge(ours), edge(theirs)
        if not a or not b:
            assert math.isnan(found)
            continue
        near = [min(math.dist(one, other) for other in b) for one in a]
        near += [min(math.dist(one, other) for other in a) for one in b]
        assert found == pytest.approx(sum(near) / len(near))
