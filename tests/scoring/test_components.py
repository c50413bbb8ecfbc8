from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import measure

from saltseg.scoring import components
from saltseg.scoring.components import clean, find_components, precision_by_sizes
from saltseg.scoring.metric import precision

SIZES = list(product([0, 1, 2, 3, 5, 9], [0, 1, 2, 4, 8]))

RING_SIZES = [0, 20, 40, 80, 160, 400, 1000]
"""Those of params.yaml that drop or fill a ring of up to 51 pixels, and some that take more."""


def clean_by_regions(masks: np.ndarray, salt_size: int, hole_size: int) -> np.ndarray:
    """Crop by crop and region by region: the reference."""
    cleaned = masks.copy()
    for mask in cleaned:
        height, width = mask.shape
        for hole in measure.regionprops(measure.label(~mask, connectivity=1)):
            top, left, bottom, right = hole.bbox
            inside = top > 0 and left > 0 and bottom < height and right < width
            if inside and hole.area < hole_size:
                mask[tuple(hole.coords.T)] = True
        for salt in measure.regionprops(measure.label(mask, connectivity=2)):
            if salt.area < salt_size:
                mask[tuple(salt.coords.T)] = False
    return cleaned


def speckled(count: int, height: int = 12, width: int = 12) -> np.ndarray:
    """Masks with salt, holes, islands in holes and holes in islands, from sparse to dense."""
    generator = np.random.default_rng(7)
    share = np.linspace(0.2, 0.8, count)[:, None, None]
    return generator.random((count, height, width)) < share


def rings(side: int) -> np.ndarray:
    """Masks of rings of salt, one pixel wide, each in the hole of the next; whole and speckled."""
    rows, columns = np.indices((side, side))
    depth = np.minimum(np.minimum(rows, columns), side - 1 - np.maximum(rows, columns))
    whole = depth % 2 == np.array([0, 1])[:, None, None]
    speckles = np.random.default_rng(9).random(whole.shape) < 0.01
    return np.concatenate([whole, whole ^ speckles])


def drawing(text: str) -> np.ndarray:
    """Read one mask from lines of '#' and '.'."""
    return np.array([[[pixel == "#" for pixel in line] for line in text.split()]])


@settings(deadline=None)
@given(
    hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, max_side=9)),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_clean_is_region_by_region(masks: np.ndarray, salt_size: int, hole_size: int) -> None:
    expected = clean_by_regions(masks, salt_size, hole_size)
    np.testing.assert_array_equal(clean(masks, salt_size, hole_size), expected)


@pytest.mark.parametrize(
    ("masks", "sizes"),
    [(speckled(60), SIZES), (rings(51), list(product(RING_SIZES, repeat=2)))],
    ids=["speckled", "rings"],
)
def test_clean_is_region_by_region_on_nested_components(
    masks: np.ndarray, sizes: list[tuple[int, int]]
) -> None:
    for salt_size, hole_size in sizes:
        expected = clean_by_regions(masks, salt_size, hole_size)
        np.testing.assert_array_equal(clean(masks, salt_size, hole_size), expected)


def test_search_is_clean_and_precision_for_each_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "CHUNK", 7)
    masks = speckled(60)
    truth = masks ^ (np.random.default_rng(8).random(masks.shape) < 0.05)
    truth[::9] = False
    expected = [precision(clean(masks, *pair), truth) for pair in SIZES]
    scores = precision_by_sizes(masks, truth, SIZES)
    np.testing.assert_array_equal(scores, np.stack(expected, axis=1))
    assert len(np.unique(scores.mean(axis=0))) > 10


def test_sizes_of_zero_change_nothing() -> None:
    masks = speckled(20)
    np.testing.assert_array_equal(clean(masks, 0, 0), masks)


def test_size_is_the_least_that_stays() -> None:
    mask = drawing("##... ..... ...#.")
    assert clean(mask, 1, 0).sum() == 3
    assert clean(mask, 2, 0).sum() == 2
    assert clean(mask, 3, 0).sum() == 0


def test_salt_connects_across_corners_and_holes_do_not() -> None:
    diagonal = drawing("#... .#.. ..#. ....")
    np.testing.assert_array_equal(clean(diagonal, 3, 0), diagonal)
    two_holes = drawing("##### #.### ##.## #####")
    assert clean(two_holes, 0, 2).all()
    gap_at_corner = drawing(".### #.## ####")
    assert not clean(gap_at_corner, 0, 2)[0, 0, 0]
    assert clean(gap_at_corner, 0, 2)[0, 1, 1]


@pytest.mark.parametrize("turns", range(4))
def test_what_the_border_cuts_is_no_hole(turns: int) -> None:
    bay = np.rot90(drawing("#.## #.## ####"), turns, axes=(1, 2))
    np.testing.assert_array_equal(clean(bay, 0, 100), bay)


def test_an_island_in_a_filled_hole_stays_and_counts() -> None:
    target = drawing("...... .####. .#..#. .#.##. .####. ......")
    ring_with_island = drawing("....... .#####. .#...#. .#.#.#. .#...#. .#####. .......")
    assert clean(ring_with_island, 0, 9)[0, 1:-1, 1:-1].all()
    assert clean(ring_with_island, 25, 9).sum() == 25
    assert clean(ring_with_island, 26, 9).sum() == 0
    np.testing.assert_array_equal(clean(ring_with_island, 17, 8), np.zeros_like(ring_with_island))
    assert clean(ring_with_island, 2, 8).sum() == 16
    assert clean(target, 0, 4).sum() == 16


def test_crops_are_apart() -> None:
    masks = np.zeros((3, 4, 4), bool)
    masks[0, -1] = masks[1, 0] = True
    masks[2] = True
    found = find_components(masks)
    assert found.size[found.is_salt].tolist() == [4, 4, 16]
    assert found.crop[found.is_salt].tolist() == [0, 1, 2]
    assert clean(masks, 5, 0).sum() == 16


def test_no_crops() -> None:
    assert clean(np.zeros((0, 5, 5), bool), 1, 1).shape == (0, 5, 5)
    nothing = np.zeros((0, 5, 5), bool)
    assert precision_by_sizes(nothing, nothing, [(0, 0), (1, 1)]).shape == (0, 2)
