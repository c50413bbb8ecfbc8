from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saltseg.scoring.metric import (
    PACKED_CHUNK,
    precision,
    precision_curve,
    precision_of_counts,
    salt_masks,
)

GRID = np.linspace(0.1, 0.9, 81)
TENTHS = st.sampled_from(np.array([0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1], np.float16).tolist())


def precision_by_fractions(predicted: np.ndarray, truth: np.ndarray) -> list[float]:
    """Score crop by crop and level by level, in the competition's words: the reference."""
    scores = []
    for mask, true_mask in zip(predicted, truth, strict=True):
        if not true_mask.any():
            scores.append(0.0 if mask.any() else 1.0)
            continue
        overlap = Fraction(int((mask & true_mask).sum()), int((mask | true_mask).sum()))
        levels = [Fraction(level, 100) for level in range(50, 100, 5)]
        scores.append(sum(overlap > level for level in levels) / 10)
    return scores


@st.composite
def pairs_of_masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Masks and truths of up to 5 crops whose pixels often agree."""
    shape = draw(hnp.array_shapes(min_dims=3, max_dims=3, max_side=5))
    truth = draw(hnp.arrays(bool, shape))
    errors = draw(hnp.arrays(bool, shape, elements=st.sampled_from([False] * 5 + [True])))
    return truth ^ errors, truth


@settings(deadline=None)
@given(pairs_of_masks())
def test_precision_is_the_competitions(pair: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, truth = pair
    scores = precision(predicted, truth)
    assert scores.dtype == np.float64
    assert scores.tolist() == precision_by_fractions(predicted, truth)


def test_precision_of_more_crops_than_are_packed_together() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random((PACKED_CHUNK + 6, 13, 11)) < generator.random(
        (PACKED_CHUNK + 6, 1, 1)
    )
    truth[::5] = False
    predicted = truth ^ (generator.random(truth.shape) < 0.1)
    predicted[::10] = False
    assert precision(predicted, truth).tolist() == precision_by_fractions(predicted, truth)
    assert precision(predicted[:0], truth[:0]).shape == (0,)


def test_every_pair_of_counts_up_to_200() -> None:
    intersection, union = np.mgrid[0:201, 1:201].reshape(2, -1)
    possible = intersection <= union
    intersection, union = intersection[possible], union[possible]
    hits = sum(20 * intersection > level * union for level in range(10, 20))
    np.testing.assert_array_equal(precision_of_counts(intersection, union), hits / 10)


def one_crop(intersection: int, predicted_only: int, truth_only: int) -> list[np.ndarray]:
    """A mask and a truth of 101 x 101 pixels that share and don't share so many."""
    masks = np.zeros((2, 1, 101 * 101), bool)
    masks[:, 0, : intersection + predicted_only + truth_only] = True
    masks[0, 0, intersection + predicted_only :] = False
    masks[1, 0, intersection : intersection + predicted_only] = False
    return list(masks.reshape(2, 1, 101, 101))


@pytest.mark.parametrize(
    ("counts", "score"),
    [
        ((872, 200, 277), 0.3),  # the worked example: 872 of 1349
        ((0, 0, 0), 1.0),
        ((0, 1, 0), 0.0),
        ((0, 0, 1), 0.0),
        ((0, 5000, 5000), 0.0),
        ((10201, 0, 0), 1.0),
        ((1, 0, 0), 1.0),
        ((500, 250, 250), 0.0),  # exactly 0.5 is no hit
        ((501, 250, 250), 0.1),
        ((95, 5, 0), 0.9),  # exactly 0.95
        ((96, 5, 0), 1.0),
        ((55, 45, 0), 0.1),  # exactly 0.55, which floats get wrong
    ],
)
def test_corner_cases(counts: tuple[int, int, int], score: float) -> None:
    predicted, truth = one_crop(*counts)
    assert precision(predicted, truth).tolist() == [score]


def test_wrong_copies_in_circulation_differ() -> None:
    levels = np.arange(10, 20)

    def at_or_above(intersection: int, union: int) -> float:
        return float(np.mean(20 * intersection >= levels * union))

    def smoothed(intersection: int, union: int) -> float:
        return float(np.mean((intersection + 1e-10) / (union + 1e-10) > levels / 20))

    def histogram_of_labels(predicted: np.ndarray, truth: np.ndarray) -> float:
        """Drop the first row and column of the table of labels, whatever the labels are."""
        table = np.histogram2d(truth.ravel(), predicted.ravel(), bins=(2, 2))[0]
        overlap = table[1, 1] / max(table.sum() - table[0, 0], 1e-10)
        return float(np.mean(overlap > levels / 20))

    assert precision(*one_crop(500, 250, 250)).tolist() == [0.0]
    assert at_or_above(500, 1000) == 0.1
    assert smoothed(500, 1000) == 0.1
    nothing_predicted = one_crop(0, 0, 9000)
    assert precision(*nothing_predicted).tolist() == [0.0]
    assert histogram_of_labels(*nothing_predicted) > 0.5


@settings(deadline=None)
@given(st.data())
def test_curve_is_precision_at_each_threshold(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=3, max_dims=3, max_side=6))
    probabilities = data.draw(hnp.arrays(np.float16, shape, elements=TENTHS))
    truth = data.draw(hnp.arrays(bool, shape))
    # 0.1 and 0.7 lie above their nearest float16, 0.3 and 0.9 below: the borders of the rule.
    thresholds = np.array([0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0])
    expected = [precision(salt_masks(probabilities, value), truth) for value in thresholds]
    curve = precision_curve(probabilities, truth, thresholds)
    np.testing.assert_array_equal(curve, np.stack(expected, axis=1))


def test_curve_of_every_float16_at_many_thresholds() -> None:
    numbers = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    generator = np.random.default_rng(1)
    shares = generator.permutation(numbers).reshape(4, 128, 128)
    truth = (shares > 0.4) & (generator.random(shares.shape) > 0.2)
    thresholds = np.sort(generator.random(300))
    expected = [precision(salt_masks(shares, value), truth) for value in thresholds]
    curve = precision_curve(shares, truth, thresholds)
    np.testing.assert_array_equal(curve, np.stack(expected, axis=1))
    assert len(np.unique(curve)) > 5


def test_curve_reads_memory_mapped_crops(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    probabilities = generator.random((37, 101, 101)).astype(np.float16)
    truth = probabilities + generator.normal(0, 0.05, probabilities.shape) > 0.5
    np.save(tmp_path / "probabilities.npy", probabilities)
    np.save(tmp_path / "truth.npy", truth)
    curve = precision_curve(
        np.load(tmp_path / "probabilities.npy", mmap_mode="r"),
        np.load(tmp_path / "truth.npy", mmap_mode="r"),
        GRID,
    )
    expected = [precision(salt_masks(probabilities, value), truth) for value in GRID]
    np.testing.assert_array_equal(curve, np.stack(expected, axis=1))
    assert 0 < curve.mean() < 1


def test_no_number_is_salt_where_the_network_failed() -> None:
    probabilities = np.full((1, 2, 2), np.nan, np.float16)
    truth = np.ones((1, 2, 2), bool)
    assert not salt_masks(probabilities, 0.1).any()
    assert precision_curve(probabilities, truth, GRID).sum() == 0


def test_every_float16_is_compared_with_the_threshold_itself() -> None:
    numbers = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(1, 256, 256)
    between = np.random.default_rng(1).random(200).tolist()
    for threshold in (0, 1e-9, 2**-25, 2**-24, 0.1, 0.3, 0.40, 0.5, 1 - 2**-12, 1, *between):
        exact = numbers.astype(np.float64) > threshold
        np.testing.assert_array_equal(salt_masks(numbers, threshold), exact)


def test_each_crop_may_have_its_own_threshold() -> None:
    probabilities = np.full((2, 3, 3), 0.5, np.float16)
    masks = salt_masks(probabilities, np.array([0.4, 0.6]))
    assert masks.all(axis=(1, 2)).tolist() == [True, False]


def test_probabilities_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="probabilities are float32, not float16"):
        precision_curve(np.zeros((1, 4, 4), np.float32), np.zeros((1, 4, 4), bool), GRID)
    with pytest.raises(ValueError, match="probabilities are float32, not float16"):
        salt_masks(np.zeros((1, 4, 4), np.float32), 0.5)


@pytest.mark.parametrize("shape", [(65, 4, 4), (1, 4, 4), (2, 8, 2), (2, 16)])
def test_masks_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    truth = np.zeros((2, 4, 4), bool)
    with pytest.raises(ValueError, match="shape"):
        precision(np.zeros(shape, bool), truth)
    with pytest.raises(ValueError, match="shape"):
        precision_curve(np.zeros(shape, np.float16), truth, GRID)
