import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saltseg.plumbing.seeds import generator
from saltseg.scoring.intervals import bootstrap_interval, bootstrap_intervals
from saltseg.scoring.metric import precision_of_counts
from saltseg.selection.nested_choice import (
    best_threshold,
    choose,
    curve_intervals,
    first_of_best,
    middle_of_plateau,
    part_means,
    selection_parts,
    smoothed,
    spread,
    threshold_grid,
    totals,
)


@given(
    hnp.arrays(
        np.int64, st.tuples(st.integers(2, 12), st.integers(1, 6)), elements=st.integers(0, 10)
    )
)
@settings(deadline=None)
def test_each_part_chooses_on_the_others(tenths: np.ndarray) -> None:
    scores = tenths / 10
    parts = np.arange(len(scores)) % 3 + 5
    choice = choose(scores, parts, first_of_best)
    for part in set(parts.tolist()):
        others, own = tenths[parts != part], scores[parts == part]
        best = int(np.argmax(others.sum(axis=0)))
        assert choice.by_part[part] == best
        assert choice.scores[parts == part].tolist() == own[:, best].tolist()
    assert choice.setting == int(np.argmax(tenths.sum(axis=0)))
    assert choice.naive.mean() == pytest.approx(scores.mean(axis=0).max())


def test_naive_flatters_and_nested_does_not() -> None:
    noise = np.random.default_rng(3).integers(0, 11, (400, 50)) / 10
    choice = choose(noise, np.arange(400) % 2, first_of_best)
    assert choice.naive.mean() > 0.53
    assert abs(choice.scores.mean() - 0.5) < 0.03


def test_a_tie_does_not_hang_on_the_order_of_crops() -> None:
    # As floats, 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in the last bit.
    scores = precision_of_counts(np.array([[52, 62], [57, 57], [62, 52]]), np.full((3, 2), 100))
    assert scores.tolist() == [[0.1, 0.3], [0.2, 0.2], [0.3, 0.1]]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        assert choose(scores[order], np.zeros(3, np.int64), first_of_best).setting == 0


@pytest.mark.parametrize(
    ("totals", "position"),
    [
        ([1, 5, 5, 5, 2], 2),
        ([5, 1, 5, 5, 1], 2),
        ([5, 5, 1, 5, 5], 0),
        ([0, 0, 0, 0, 0], 2),
        ([1, 2, 3], 2),
        ([7], 0),
    ],
)
def test_middle_of_plateau(totals: list[int], position: int) -> None:
    assert middle_of_plateau(np.array(totals, np.float64)) == position


GRID = threshold_grid(0.1, 0.9, 81)


def test_a_curve_is_averaged_over_five_hundredths() -> None:
    curve = np.random.default_rng(0).integers(0, 9, 81).astype(np.float64)
    expected = [np.mean(curve[max(at - 2, 0) : at + 3]) for at in range(81)]
    np.testing.assert_allclose(smoothed(curve, GRID), expected)
    wide = threshold_grid(0.1, 0.9, 21)
    np.testing.assert_array_equal(smoothed(curve[:21], wide), curve[:21])


def test_a_lone_peak_does_not_make_the_best_threshold() -> None:
    hill = 1000 - np.abs(np.arange(81) - 30)
    assert best_threshold(hill, GRID) == 30
    lucky = hill.copy()
    lucky[60] = 1005
    assert best_threshold(lucky, GRID) == 30


def test_equal_windows_are_equal_whatever_their_length() -> None:
    """At the ends fewer thresholds are averaged: 7 must not differ from 7 in the last bit."""
    assert best_threshold(np.full(81, 7 * 10**6), GRID) == 40


def test_parts_are_folds_where_there_are_two() -> None:
    assert selection_parts([3, 1, 3], ["a", "b", "c"]).tolist() == [3, 1, 3]


def test_one_fold_is_parted_by_group_whatever_the_order() -> None:
    groups = [f"mosaic {number // 2}" for number in range(400)]
    parts = selection_parts([2] * 400, groups)
    assert (parts[::2] == parts[1::2]).all()
    assert (np.bincount(parts, minlength=5) > 40).all()
    assert selection_parts([2] * 400, groups[::-1]).tolist() == parts[::-1].tolist()


def test_grid_reads_well() -> None:
    assert threshold_grid(0.1, 0.9, 81).tolist() == [round(0.1 + 0.01 * at, 2) for at in range(81)]


def test_totals_are_whole_tenths() -> None:
    assert totals(np.full((7, 2), [0.1, 0.7])).tolist() == [7, 49]


def test_spread_over_parts() -> None:
    scores, parts = np.array([0.1, 0.3, 0.6, 0.8]), np.array([0, 0, 4, 4])
    means = part_means(scores, parts)
    assert means == pytest.approx({0: 0.2, 4: 0.7})
    assert spread(means) == pytest.approx(0.5 / np.sqrt(2))
    assert spread({0: 0.5}) == 0


def test_interval_of_independent_crops_is_the_normal_one() -> None:
    scores = np.random.default_rng(0).integers(0, 11, 900) / 10
    crops = [str(number) for number in range(900)]
    low, high = bootstrap_interval(scores, crops, 2000, generator(1, "test"))
    half = 1.96 * scores.std() / np.sqrt(900)
    assert low == pytest.approx(scores.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(scores.mean() + half, abs=0.1 * half)
    assert bootstrap_interval(scores, crops, 2000, generator(1, "test")) == (low, high)


def test_intervals_of_several_scores_come_from_the_same_resamples() -> None:
    scores = np.random.default_rng(0).integers(0, 11, 60) / 10
    mosaics = [str(number // 4) for number in range(60)]
    both = bootstrap_intervals([scores, 1 - scores], mosaics, 200, generator(1, "test"))
    assert both[0] == bootstrap_interval(scores, mosaics, 200, generator(1, "test"))
    assert both[1] == pytest.approx((1 - both[0][1], 1 - both[0][0]))


def test_crops_of_one_mosaic_are_one_piece_of_evidence() -> None:
    scores = np.repeat(np.random.default_rng(0).integers(0, 11, 100) / 10, 9)
    mosaics = [str(number // 9) for number in range(900)]
    low, high = bootstrap_interval(scores, mosaics, 2000, generator(1, "test"))
    half = 1.96 * scores.std() / np.sqrt(100)
    assert high - low == pytest.approx(2 * half, rel=0.1)
    assert low < scores.mean() < high


def test_intervals_of_a_curve_are_those_of_each_threshold_and_of_the_choice() -> None:
    scores = np.random.default_rng(0).integers(0, 11, (60, 9)) / 10
    mosaics, grid = [str(number // 4) for number in range(60)], threshold_grid(0.4, 0.56, 9)
    found = curve_intervals(scores, grid, mosaics, 200, generator(1, "test"))
    columns = list(scores.T)
    expected = bootstrap_intervals(columns, mosaics, 200, generator(1, "test"))
    np.testing.assert_allclose(np.stack([found.low, found.high], axis=1), expected)
    draws, chosen = generator(1, "test"), []
    for _ in range(200):
        drawn = draws.integers(15, size=15)
        crops = np.concatenate([np.flatnonzero(np.arange(60) // 4 == group) for group in drawn])
        chosen.append(grid[best_threshold(totals(scores[crops]), grid)])
    assert found.chosen == tuple(np.quantile(chosen, [0.025, 0.975], method="nearest"))
