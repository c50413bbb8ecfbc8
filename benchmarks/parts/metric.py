"""The competition's precision and its curve beside loops over images and over thresholds."""

import tracemalloc
from statistics import median

import numpy as np

from benchmarks.side_by_side import (
    Row,
    Work,
    compare,
    duration,
    fact_row,
    in_turn,
    limit_row,
    megabytes,
)
from benchmarks.smooth_crops import probabilities_and_truths
from saltseg.scoring.metric import (
    Scores,
    precision,
    precision_curve,
    precision_of_counts,
    salt_masks,
)
from saltseg.scoring.rle import Masks

CROPS = 4_000
FEW = 400
"""Crops for the slowest ways."""
THRESHOLDS = np.round(np.linspace(0.005, 0.995, 100), 6)
LEVELS = np.arange(0.5, 1, 0.05)


def rows() -> list[Row]:
    """Measure the metric, then the curve."""
    probabilities, truth = probabilities_and_truths(CROPS)
    masks = salt_masks(probabilities, 0.5)
    few = slice(None, FEW)
    assert np.array_equal(precision(masks, truth), vectorised(masks, truth))
    assert np.array_equal(precision(masks, truth), packed(masks, truth))
    assert np.allclose(precision(masks, truth), loop(masks, truth))
    wide = probabilities[few].astype(np.float32)
    read = in_turn({"": lambda: [sum_of_words(masks), sum_of_words(truth)]}, 5)[""]
    return [
        *compare(
            f"metric of {CROPS:,} crops",
            lambda: precision(masks, truth),
            {
                "loop over images": lambda: loop(masks, truth),
                "numpy's sums over all images": lambda: vectorised(masks, truth),
                "numpy's bits of all images": lambda: packed(masks, truth),
            },
            {"loop over images": 50, "numpy's bits of all images": 3},
        ),
        fact_row("of it, what only reading the masks from memory takes", duration(median(read))),
        *compare(
            f"metric of {FEW} crops",
            lambda: precision(masks[few], truth[few]),
            {"loop over images, a histogram each": lambda: histograms(masks[few], truth[few])},
            {"loop over images, a histogram each": 50},
        ),
        *compare(
            f"curve, 100 thresholds, {FEW} crops",
            lambda: precision_curve(probabilities[few], truth[few], THRESHOLDS),
            {"loop over images once a threshold": lambda: each_loop(wide, truth[few])},
            {"loop over images once a threshold": 30},
            repeats=3,
        ),
        *compare(
            f"curve, 100 thresholds, {CROPS:,} crops",
            lambda: precision_curve(probabilities, truth, THRESHOLDS),
            {"the fast metric once a threshold": lambda: each_threshold(probabilities, truth)},
            {"the fast metric once a threshold": 30},
            repeats=3,
        ),
        limit_row(
            f"memory of the curve, 100 thresholds, {CROPS:,} crops",
            allocated(lambda: precision_curve(probabilities, truth, THRESHOLDS)),
            1000,
            megabytes,
        ),
    ]


def loop(predicted: Masks, truth: Masks) -> list[float]:
    """Score image by image, ten comparisons each."""
    scores = []
    for mask, true_mask in zip(predicted, truth, strict=True):
        if not true_mask.any():
            scores.append(float(not mask.any()))
            continue
        overlap = (mask & true_mask).sum() / (mask | true_mask).sum()
        scores.append(float(np.mean([overlap > level for level in LEVELS])))
    return scores


def histograms(predicted: Masks, truth: Masks) -> list[float]:
    """Score as many public notebooks do: from the 2 x 2 table of labels of each image."""
    scores = []
    edges = [0, 0.5, 1]
    for mask, true_mask in zip(predicted, truth, strict=True):
        ours, theirs = mask.ravel().astype(float), true_mask.ravel().astype(float)
        table = np.histogram2d(theirs, ours, bins=(edges, edges))[0]
        area_true = np.histogram(theirs, bins=edges)[0][1]
        area = np.histogram(ours, bins=edges)[0][1]
        overlap = table[1, 1] / max(area + area_true - table[1, 1], 1e-9)
        empty = not area_true and not area
        scores.append(float(np.mean([empty or overlap > level for level in LEVELS])))
    return scores


def vectorised(predicted: Masks, truth: Masks) -> Scores:
    """Score all images at once with numpy's sums."""
    intersection = (predicted & truth).sum(axis=(1, 2))
    union = (predicted | truth).sum(axis=(1, 2))
    return precision_of_counts(intersection, union)


def packed(predicted: Masks, truth: Masks) -> Scores:
    """Score all images at once by the bits of their pixels."""
    ours, theirs = (
        np.packbits(masks.reshape(len(masks), -1), axis=1) for masks in (predicted, truth)
    )
    intersection, union = (
        np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
        for bits in (ours & theirs, ours | theirs)
    )
    return precision_of_counts(intersection, union)


def sum_of_words(masks: Masks) -> int:
    """Read every pixel once, eight at a time: no way to score the masks can take less."""
    return int(masks.reshape(-1).view(np.uint64).sum())


def each_loop(probabilities: np.ndarray, truth: Masks) -> list[list[float]]:
    """Search as public notebooks do: their loop once a threshold, on float32 probabilities."""
    return [loop(probabilities > at, truth) for at in THRESHOLDS.tolist()]


def each_threshold(probabilities: np.ndarray, truth: Masks) -> list[Scores]:
    """Call the metric once a threshold."""
    return [precision(salt_masks(probabilities, at), truth) for at in THRESHOLDS.tolist()]


def allocated(work: Work) -> float:
    """Return the most memory that `work` holds beside what was there before, in MB."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
