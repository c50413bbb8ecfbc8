"""Crops that are taken, and where they start."""

import numpy as np
import pytest

from saltseg.own.sampling import choose_labelled, choose_unlabelled, equal_shares
from saltseg.own.tiling import crop_starts

NAMES = [f"crop_{number:03d}" for number in range(200)]
SALT = np.array([0] * 120 + [500] * 50 + [5000] * 30)


def test_classes_are_balanced_as_far_as_they_have_crops() -> None:
    chosen = choose_labelled(NAMES, SALT, most=60, empty_share=0.25, seed=1)
    assert np.unique(SALT[chosen], return_counts=True)[1].tolist() == [15, 22, 23]


def test_crops_without_salt_are_a_share_at_most() -> None:
    chosen = choose_labelled(NAMES, SALT, most=1000, empty_share=0.2, seed=1)
    assert np.unique(SALT[chosen], return_counts=True)[1].tolist() == [20, 50, 30]
    assert len(choose_labelled(NAMES, 0 * SALT, most=1000, empty_share=0.2, seed=1)) == 200


def test_the_order_of_crops_plays_no_part() -> None:
    order = np.random.default_rng(1).permutation(len(NAMES))
    shuffled = [NAMES[at] for at in order]
    first = {NAMES[at] for at in choose_labelled(NAMES, SALT, 60, 0.25, 1)}
    again = {shuffled[at] for at in choose_labelled(shuffled, SALT[order], 60, 0.25, 1)}
    assert first == again
    assert {NAMES[at] for at in choose_unlabelled(NAMES, 9, 1)} == {
        shuffled[at] for at in choose_unlabelled(shuffled, 9, 1)
    }
    assert len(choose_unlabelled(NAMES, 0, 1)) == 0 and len(choose_unlabelled([], 5, 1)) == 0


def test_equal_shares_by_dealing_one_at_a_time() -> None:
    generator = np.random.default_rng(5)
    for _ in range(50):
        sizes, most = generator.integers(0, 9, 11), int(generator.integers(0, 60))
        shares = equal_shares(sizes, most)
        assert shares.sum() == min(most, sizes.sum()) and (shares <= sizes).all()
        short = shares < sizes
        assert not short.any() or shares.max() - shares[short].min() <= 1


@pytest.mark.parametrize(
    ("length", "half", "none"),
    [
        (100, [], []),
        (101, [0], [0]),
        (102, [0, 1], [0]),
        (202, [0, 33, 67, 101], [0, 101]),
        (210, [0, 36, 72, 109], [0, 109]),
    ],
)
def test_starts(length: int, half: list[int], none: list[int]) -> None:
    assert crop_starts(0, length, "half") == half
    assert crop_starts(0, length, "none") == none
    assert crop_starts(7, length + 7, "half") == [start + 7 for start in half]
