"""Nested selection of a setting: chosen on other crops than those that it is scored on.

Used for thresholds and component sizes; `scores` are always precisions, multiples of 0.1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.seeds import stream_seed
from saltseg.scoring.intervals import TAIL, bootstrap_interval
from saltseg.scoring.metric import Scores

Integers = npt.NDArray[np.int64]
Preference = Callable[[Integers], int]
"""Picks the position of one of the largest totals."""

HASHED_PARTS = 5
"""Number of parts of the crops if only one fold was trained."""

WINDOW = 0.05
"""Width of the window of thresholds over which a curve is averaged before its best is taken."""


@dataclass(frozen=True)
class Choice:
    """The setting chosen on all crops, and the nested scores of such a choice.

    setting: position of the best setting on all crops, to use on the test crops.
    naive: float64, shape (n,); each crop's score with that setting. Their mean is optimistic.
    by_part: for each part, the position of the best setting on all the other parts.
    scores: float64, shape (n,); each crop's score with its part's setting. Their mean is unbiased.
    """

    setting: int
    naive: Scores
    by_part: dict[int, int]
    scores: Scores

    def of(self, crops: npt.NDArray[np.bool_]) -> Self:
        """Return the same choice with the scores of some crops alone; crops: bool, shape (n,)."""
        return replace(self, naive=self.naive[crops], scores=self.scores[crops])


def threshold_grid(low: float, high: float, count: int) -> Scores:
    """Return `count` evenly spaced thresholds from `low` to `high`, rounded: float64."""
    return np.round(np.linspace(low, high, count), 6)


def kind_of_parts(folds: Sequence[int]) -> str:
    """Return what `selection_parts` splits crops by: "folds", or "mosaics" for a single fold."""
    return "folds" if len(set(folds)) > 1 else "mosaics"


def selection_parts(folds: Sequence[int], groups: Sequence[str]) -> Integers:
    """Return the part of each crop, for selection with one part left out: int64, shape (n,).

    Parts are the folds. If only one was trained, its groups are hashed into five parts, so that the
    choice gets a nested score too.
    """
    if kind_of_parts(folds) == "folds":
        return np.array(folds, np.int64)
    return np.array([stream_seed(0, "part", group) % HASHED_PARTS for group in groups], np.int64)


def totals(scores: Scores) -> Integers:
    """Return the sums of `scores`, shape (n, ...), over the crops: int64, in tenths.

    Integers, so that ties are exact whatever the order of the crops.
    """
    tenths: Integers = np.rint(10 * scores).astype(np.int64).sum(axis=0)
    return tenths


def choose(scores: Scores, parts: Integers, prefer: Preference) -> Choice:
    """Choose a setting for each part on the scores of the other parts, and one on all.

    scores: float64, shape (n, settings). parts: int64, shape (n,).
    prefer: picks one of the best from the totals.
    """
    labels, part_index = np.unique(parts, return_inverse=True)
    own = np.stack([totals(scores[part_index == index]) for index in range(len(labels))])
    total = own.sum(axis=0)
    setting = prefer(total)
    chosen = np.array([prefer(total - part) for part in own])
    return Choice(
        setting=setting,
        naive=scores[:, setting],
        by_part=dict(zip(labels.tolist(), chosen.tolist(), strict=True)),
        scores=scores[np.arange(len(scores)), chosen[part_index]],
    )


def best_threshold(totals: Integers, grid: Scores) -> int:
    """Return the position of the threshold with the best smoothed total.

    totals: of each threshold of `grid`, (k,). A single maximum of a noisy curve is luck more often
    than merit, so the curve is averaged over WINDOW first; of equal ones, the middle is taken.
    """
    return middle_of_plateau(smoothed(totals.astype(np.float64), grid))


def smoothed(curve: Scores, grid: Scores) -> Scores:
    """Return the means of `curve`, (k,), over a centred window of WINDOW thresholds.

    At the ends of the evenly spaced `grid` the window is cut off. A grid whose steps are wider than
    half the window stays as it is. Sums of whole numbers are exact, so equal means stay equal.
    """
    reach = int(WINDOW / 2 / (grid[1] - grid[0]) + 1e-6)
    at = np.arange(len(grid))
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach, len(grid) - 1)
    sums = np.concatenate([[0.0], np.cumsum(curve)])
    means: Scores = (sums[last + 1] - sums[first]) / (last + 1 - first)
    return means


def middle_of_plateau(totals: Scores) -> int:
    """Return the middle of the longest run of maximal totals, the first of equally long ones.

    For thresholds: the middle is farthest from where the score falls.
    """
    best = np.concatenate([[False], totals == totals.max(), [False]])
    starts, ends = np.flatnonzero(best[1:] != best[:-1]).reshape(-1, 2).T
    longest = np.argmax(ends - starts)
    return int((starts[longest] + ends[longest] - 1) // 2)


def first_of_best(totals: Integers) -> int:
    """Return the first maximum, for settings listed in order of preference."""
    return int(np.argmax(totals))


def part_means(scores: Scores, parts: Integers) -> dict[int, float]:
    """Return the mean of `scores`, shape (n,), over the crops of each part."""
    return {int(part): float(scores[parts == part].mean()) for part in np.unique(parts)}


def spread(means: dict[int, float]) -> float:
    """Return the sample standard deviation of the parts' means; 0 for a single part."""
    return float(np.std(list(means.values()), ddof=1)) if len(means) > 1 else 0.0


@dataclass(frozen=True)
class CurveIntervals:
    """95 % bootstrap intervals of a curve over thresholds, resampling whole groups.

    low, high: of the mean score at each threshold, float64 (k,). chosen: of the best threshold.
    """

    low: Scores
    high: Scores
    chosen: tuple[float, float]

    def metrics(self) -> dict[str, float]:
        """Return the interval of the best threshold by the names that results have."""
        return {"threshold_low": self.chosen[0], "threshold_high": self.chosen[1]}


def curve_intervals(
    scores: Scores,
    grid: Scores,
    groups: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
) -> CurveIntervals:
    """Return the intervals of a curve; see bootstrap_interval for groups and resamples.

    scores: float64 (n, k), each crop's score at each threshold of `grid`, (k,). As in the search,
    best_threshold chooses the threshold of each resample.
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
        chosen[index] = grid[best_threshold(total, grid)]
    low, high = np.quantile(means, [TAIL, 1 - TAIL], axis=0)
    least, most = np.quantile(chosen, [TAIL, 1 - TAIL], method="nearest")
    return CurveIntervals(low, high, (float(least), float(most)))


def nested_summary(
    choice: Choice,
    parts: Integers,
    groups: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Return the scores of a choice: naive, nested with interval and spread, and by part."""
    low, high = bootstrap_interval(choice.scores, groups, resamples, generator)
    by_part = part_means(choice.scores, parts)
    return {
        "crops": len(choice.scores),
        "score_naive": float(choice.naive.mean()),
        "score_before_cleaning": float(choice.scores.mean()),
        "score_before_cleaning_low": low,
        "score_before_cleaning_high": high,
        "part_spread": spread(by_part),
        "score_by_part": {str(part): mean for part, mean in by_part.items()},
    }
