"""Which examples figures show."""

import numpy as np
import numpy.typing as npt

from saltseg.reports.figures import spread_evenly, spread_over_coverage


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
