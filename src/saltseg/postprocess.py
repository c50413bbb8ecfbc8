"""Cleaning masks by sizes of components that were searched, and what it brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.components import clean, precision_by_sizes
from saltseg.files import write_array_parts
from saltseg.metric import Scores, salt_masks
from saltseg.thresholds import bootstrap_interval, choose, first_of_best

Masks = npt.NDArray[np.bool_]
Sizes = tuple[int, int]
"""Least salt component that stays and least hole that stays, in pixels; see components.clean."""

KEEP: Sizes = (0, 0)
"""Sizes that change nothing."""

CHUNK = 500
"""Test crops in memory at one time."""


@dataclass(frozen=True)
class Cleaning:
    """The sizes to clean with, and the precision of each crop, float64 of shape (n,).

    helps: whether the searched sizes raise the nested score; if not, all sizes are KEEP.
    sizes: for the test crops, chosen on all out-of-fold crops.
    by_part: for each part, chosen on the other parts.
    before: without cleaning. searched: with each part's searched sizes. after: with `by_part`.
    """

    helps: bool
    sizes: Sizes
    by_part: dict[int, Sizes]
    before: Scores
    searched: Scores

    @property
    def after(self) -> Scores:
        """The scores of what is handed on."""
        return self.searched if self.helps else self.before


def size_pairs(salt_sizes: Sequence[int], hole_sizes: Sequence[int]) -> list[Sizes]:
    """Return every pair of sizes once, the gentlest first: by sum, then by salt size."""
    return sorted({KEEP, *product(salt_sizes, hole_sizes)}, key=lambda pair: (sum(pair), pair))


def search_sizes(
    masks: Masks, truth: Masks, parts: npt.NDArray[np.int64], pairs: Sequence[Sizes]
) -> Cleaning:
    """Choose among `pairs`, KEEP first, on out-of-fold masks; ties go to the gentler pair.

    masks, truth: bool, shape (n, height, width). parts: int64, shape (n,).
    """
    scores = precision_by_sizes(masks, truth, pairs)
    choice = choose(scores, parts, first_of_best)
    before = scores[:, 0]
    gained_tenths = int(np.rint(10 * (choice.scores - before)).sum())
    helps = gained_tenths > 0 and choice.setting > 0
    return Cleaning(
        helps=helps,
        sizes=pairs[choice.setting] if helps else KEEP,
        by_part={part: pairs[at] if helps else KEEP for part, at in choice.by_part.items()},
        before=before,
        searched=choice.scores,
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
    cleaning: Cleaning, groups: Sequence[str], resamples: int, seed: int
) -> dict[str, Any]:
    """Return the nested scores, and what the search gains, each with its interval.

    groups: see thresholds.bootstrap_interval. seed: draws the same resamples for both.
    """
    gain = cleaning.searched - cleaning.before
    draws = (np.random.default_rng(seed) for _ in range(2))
    low, high = bootstrap_interval(cleaning.after, groups, resamples, next(draws))
    gain_low, gain_high = bootstrap_interval(gain, groups, resamples, next(draws))
    return {
        "crops": len(gain),
        "score_before": float(cleaning.before.mean()),
        "score_after": float(cleaning.after.mean()),
        "score_low": low,
        "score_high": high,
        "searched_gain": float(gain.mean()),
        "searched_gain_low": gain_low,
        "searched_gain_high": gain_high,
        **chosen_sizes(cleaning),
    }
