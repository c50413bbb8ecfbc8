"""The honest choice of a setting: on other crops than those that it is scored on.

It serves thresholds and component sizes alike; `scores` are always precisions, whole tenths.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.seeds import stream_seed
from saltseg.scoring.intervals import bootstrap_interval
from saltseg.scoring.metric import Scores

Integers = npt.NDArray[np.int64]
Preference = Callable[[Integers], int]
"""Picks the position of one of the greatest totals."""

HASHED_PARTS = 5
"""Parts of the crops where a single fold was trained."""


@dataclass(frozen=True)
class Choice:
    """One setting chosen for all crops, and what such a choice is worth on unseen crops.

    setting: position of the best on all crops; the one to use on the test crops.
    naive_score: its mean score on these same crops, which flatters it.
    by_part: for each part, the position of the best on all the other parts.
    scores: float64, shape (n,); each crop's score with its part's setting. Their mean is honest.
    """

    setting: int
    naive_score: float
    by_part: dict[int, int]
    scores: Scores


def threshold_grid(low: float, high: float, count: int) -> Scores:
    """Return `count` even thresholds from `low` to `high`, rounded to read well: float64."""
    return np.round(np.linspace(low, high, count), 6)


def kind_of_parts(folds: Sequence[int]) -> str:
    """Return what `selection_parts` divides crops by: "folds", or "mosaics" of a single fold."""
    return "folds" if len(set(folds)) > 1 else "mosaics"


def selection_parts(folds: Sequence[int], groups: Sequence[str]) -> Integers:
    """Return the part of each crop that a choice is made without: int64, shape (n,).

    Parts are the folds. Where only one was trained, they are five by a hash of the crop's group,
    so that its choice gets an honest score as well.
    """
    if kind_of_parts(folds) == "folds":
        return np.array(folds, np.int64)
    return np.array([stream_seed(0, "part", group) % HASHED_PARTS for group in groups], np.int64)


def totals(scores: Scores) -> Integers:
    """Return the sums of `scores`, shape (n, ...), over the crops: int64, in tenths.

    Whole numbers, so that a tie is a tie whatever the order of the crops.
    """
    tenths: Integers = np.rint(10 * scores).astype(np.int64).sum(axis=0)
    return tenths


def choose(scores: Scores, parts: Integers, prefer: Preference) -> Choice:
    """Choose among settings, nested: each part's on the scores of the others.

    scores: float64, shape (n, settings). parts: int64, shape (n,).
    prefer: picks among the best; it sees the totals.
    """
    labels, part_index = np.unique(parts, return_inverse=True)
    own = np.stack([totals(scores[part_index == index]) for index in range(len(labels))])
    total = own.sum(axis=0)
    setting = prefer(total)
    chosen = np.array([prefer(total - part) for part in own])
    return Choice(
        setting=setting,
        naive_score=float(total[setting] / (10 * len(scores))),
        by_part=dict(zip(labels.tolist(), chosen.tolist(), strict=True)),
        scores=scores[np.arange(len(scores)), chosen[part_index]],
    )


def middle_of_plateau(totals: Integers) -> int:
    """Return the middle of the longest run of greatest totals, the first of equally long ones.

    For thresholds: the middle is the farthest from where the score falls.
    """
    best = np.concatenate([[False], totals == totals.max(), [False]])
    starts, ends = np.flatnonzero(best[1:] != best[:-1]).reshape(-1, 2).T
    longest = np.argmax(ends - starts)
    return int((starts[longest] + ends[longest] - 1) // 2)


def first_of_best(totals: Integers) -> int:
    """Return the first greatest total: for settings that are listed in order of preference."""
    return int(np.argmax(totals))


def part_means(scores: Scores, parts: Integers) -> dict[int, float]:
    """Return the mean of `scores`, shape (n,), over the crops of each part."""
    return {int(part): float(scores[parts == part].mean()) for part in np.unique(parts)}


def spread(means: dict[int, float]) -> float:
    """Return the sample standard deviation of the parts' means; 0 for a single part."""
    return float(np.std(list(means.values()), ddof=1)) if len(means) > 1 else 0.0


@dataclass(frozen=True)
class CurveIntervals:
    """How sure a curve over thresholds is, at 95 %, over resamples of whole groups.

    low, high: of the mean score at each threshold, float64 (k,). chosen: of the best threshold.
    """

    low: Scores
    high: Scores
    chosen: tuple[float, float]


def curve_intervals(
    scores: Scores,
    grid: Scores,
    groups: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
) -> CurveIntervals:
    """Return the intervals of a curve; see bootstrap_interval for groups and resamples.

    scores: float64 (n, k), each crop's score at each threshold of `grid`, (k,). Each resample
    chooses its threshold by middle_of_plateau, as the search does.
    """
    _, members = np.unique(np.asarray(groups, object), return_inverse=True)
    sizes = np.bincount(members)
    sums = np.zeros((len(sizes), len(grid)), np.int64)
    np.add.at(sums, members, np.rint(10 * scores).astype(np.int64))
    means, chosen = np.empty((resamples, len(grid))), np.empty(resamples)
    for index in range(resamples):
        drawn = generator.integers(len(sizes), size=len(sizes))
        total = sums[drawn].sum(axis=0)
        means[index] = total / (10 * sizes[drawn].sum())
        chosen[index] = grid[middle_of_plateau(total)]
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    least, most = np.quantile(chosen, [0.025, 0.975], method="nearest")
    return CurveIntervals(low, high, (float(least), float(most)))


def nested_summary(
    choice: Choice,
    parts: Integers,
    groups: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Return what a choice is worth: naive, nested with its interval and spread, and by part."""
    low, high = bootstrap_interval(choice.scores, groups, resamples, generator)
    by_part = part_means(choice.scores, parts)
    return {
        "crops": len(choice.scores),
        "score_naive": choice.naive_score,
        "score_before_cleaning": float(choice.scores.mean()),
        "score_before_cleaning_low": low,
        "score_before_cleaning_high": high,
        "part_spread": spread(by_part),
        "score_by_part": {str(part): mean for part, mean in by_part.items()},
    }
