"""Cleaning masks by sizes of components that were searched, and what it brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.files import read_json, write_array_parts
from saltseg.scoring.components import clean, precision_by_sizes
from saltseg.scoring.intervals import bootstrap_intervals
from saltseg.scoring.metric import Scores, salt_masks
from saltseg.selection.nested_choice import first_of_best, totals

Masks = npt.NDArray[np.bool_]
Sizes = tuple[int, int]
"""Least salt component that stays and least hole that stays, in pixels; see components.clean."""

KEEP: Sizes = (0, 0)
"""Sizes that change nothing."""

CHUNK = 500
"""Test crops in memory at one time."""


@dataclass(frozen=True)
class Thresholds:
    """What threshold-search chose: for the test crops, and for each part on the other parts."""

    overall: float
    by_part: dict[int, float]

    def of(self, parts: npt.NDArray[np.int64]) -> Scores:
        """Return the threshold of each crop: float64, shape (n,)."""
        return np.array([self.by_part[int(part)] for part in parts])


def load_thresholds(path: Path) -> Thresholds:
    """Read thresholds.json as threshold-search wrote it."""
    content = read_json(path)
    by_part = {int(part): limit for part, limit in content["threshold_by_part"].items()}
    return Thresholds(content["threshold"], by_part)


@dataclass(frozen=True)
class Cleaning:
    """The sizes to clean with, and the precision of each crop, float64 of shape (n,).

    helps: whether searched sizes raise the nested score; if not, the test crops stay as they are.
    sizes: for the test crops, chosen on all out-of-fold crops; KEEP where that doesn't help.
    by_part: for each part, chosen on the other parts, whether or not that helped.
    before: without cleaning. after: with `by_part`.
    """

    helps: bool
    sizes: Sizes
    by_part: dict[int, Sizes]
    before: Scores
    after: Scores


def size_pairs(salt_sizes: Sequence[int], hole_sizes: Sequence[int]) -> list[Sizes]:
    """Return every pair of sizes once, the gentlest first: by sum, then by salt size."""
    return sorted({KEEP, *product(salt_sizes, hole_sizes)}, key=lambda pair: (sum(pair), pair))


def search_sizes(
    probabilities: npt.NDArray[np.float16],
    truth: Masks,
    parts: npt.NDArray[np.int64],
    thresholds: Thresholds,
    pairs: Sequence[Sizes],
) -> Cleaning:
    """Choose among `pairs`, KEEP first, on out-of-fold masks; ties go to the gentler pair.

    A part's sizes are chosen on the other parts at the part's own threshold, which was chosen on
    the others too: the thresholds of the others know the part's labels.

    probabilities: float16, shape (n, height, width); truth: bool, the same shape. parts: int64,
    shape (n,).
    """
    scores = {
        limit: precision_by_sizes(salt_masks(probabilities, limit), truth, pairs)
        for limit in sorted({thresholds.overall, *thresholds.by_part.values()})
    }
    setting = first_of_best(totals(scores[thresholds.overall]))
    chosen: dict[int, int] = {}
    before, after = np.empty(len(parts)), np.empty(len(parts))
    for part, limit in thresholds.by_part.items():
        own = parts == part
        chosen[part] = first_of_best(totals(scores[limit][~own]))
        before[own], after[own] = scores[limit][own, 0], scores[limit][own, chosen[part]]
    helps = bool(totals(after) > totals(before)) and setting > 0
    return Cleaning(
        helps=helps,
        sizes=pairs[setting] if helps else KEEP,
        by_part={part: pairs[at] for part, at in chosen.items()},
        before=before,
        after=after,
    )


def clean_by_part(masks: Masks, parts: npt.NDArray[np.int64], by_part: dict[int, Sizes]) -> Masks:
    """Return `masks`, shape (n, height, width), each cleaned with the sizes of its part."""
    cleaned = np.empty(masks.shape, bool)
    for part, sizes in by_part.items():
        cleaned[parts == part] = clean(masks[parts == part], *sizes)
    return cleaned


def write_test_masks(
    path: Path, probabilities: npt.NDArray[np.float16], threshold: float, sizes: Sizes
) -> None:
    """Write the cleaned masks of `probabilities`, shape (m, height, width), as a bool .npy.

    A few crops at a time: memory doesn't grow with their number.
    """
    parts = (
        clean(salt_masks(probabilities[start : start + CHUNK], threshold), *sizes)
        for start in range(0, len(probabilities), CHUNK)
    )
    write_array_parts(path, probabilities.shape, bool, parts)


def chosen_sizes(cleaning: Cleaning) -> dict[str, Any]:
    """Return the sizes for the test crops and for each part, ready for JSON."""
    by_part = {str(part): sizes for part, sizes in cleaning.by_part.items()}
    return {
        "helps": cleaning.helps,
        "salt_size": cleaning.sizes[0],
        "hole_size": cleaning.sizes[1],
        "salt_size_by_part": {part: sizes[0] for part, sizes in by_part.items()},
        "hole_size_by_part": {part: sizes[1] for part, sizes in by_part.items()},
    }


def nested_gain(
    cleaning: Cleaning, groups: Sequence[str], resamples: int, generator: np.random.Generator
) -> dict[str, Any]:
    """Return the nested scores, and what the search gains, each with its interval.

    groups, generator: see intervals.bootstrap_interval; both intervals are of the same resamples.
    """
    gain = cleaning.after - cleaning.before
    (low, high), (gain_low, gain_high) = bootstrap_intervals(
        [cleaning.after, gain], groups, resamples, generator
    )
    return {
        "crops": len(gain),
        "score": float(cleaning.after.mean()),
        "score_low": low,
        "score_high": high,
        "score_before_cleaning": float(cleaning.before.mean()),
        "score_gain": float(gain.mean()),
        "score_gain_low": gain_low,
        "score_gain_high": gain_high,
        **chosen_sizes(cleaning),
    }
