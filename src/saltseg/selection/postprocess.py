"""Searching the component sizes for cleaning masks, and measuring the gain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from saltseg.config.sections import PostprocessConnectedComponents
from saltseg.plumbing.files import write_array_parts
from saltseg.plumbing.layout import Layout
from saltseg.scoring.components import clean, precision_by_sizes
from saltseg.scoring.intervals import bootstrap_intervals
from saltseg.scoring.metric import Scores, precision, salt_masks
from saltseg.selection.nested_choice import first_of_best, totals
from saltseg.selection.out_of_fold import OutOfFold
from saltseg.selection.sizes import KEEP, ChosenSizes, Sizes
from saltseg.selection.thresholds import Thresholds
from saltseg.selection.vertical_labels import Copies, copies_of, copies_to_test, with_copies

Masks = npt.NDArray[np.bool_]
CHUNK = 500
"""Test crops in memory at a time."""


@dataclass(frozen=True)
class Cleaning:
    """The chosen sizes, and the precision of each crop, float64 of shape (n,).

    before: precision without cleaning. after: precision with the sizes of the crop's part.
    """

    chosen: ChosenSizes
    before: Scores
    after: Scores

    def of(self, crops: npt.NDArray[np.bool_]) -> Self:
        """Return the same with the precisions of some crops alone; crops: bool, shape (n,)."""
        return replace(self, before=self.before[crops], after=self.after[crops])


def size_pairs(salt_sizes: Sequence[int], hole_sizes: Sequence[int]) -> list[Sizes]:
    """Return every pair of sizes once, gentlest first: sorted by sum, then by salt size."""
    return sorted({KEEP, *product(salt_sizes, hole_sizes)}, key=lambda pair: (sum(pair), pair))


def search_sizes(
    probabilities: npt.NDArray[np.float16],
    truth: Masks,
    parts: npt.NDArray[np.int64],
    thresholds: Thresholds,
    pairs: Sequence[Sizes],
) -> Cleaning:
    """Choose among `pairs`, KEEP first, on out-of-fold masks; ties go to the gentler pair.

    A part's sizes are chosen on the other parts at the part's own threshold, which was also chosen
    on the others. The thresholds of the others would leak: they were chosen on this part's labels.

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
    by_part = {part: pairs[at] for part, at in chosen.items()}
    return Cleaning(ChosenSizes(helps, pairs[setting] if helps else KEEP, by_part), before, after)


def clean_by_part(masks: Masks, parts: npt.NDArray[np.int64], by_part: dict[int, Sizes]) -> Masks:
    """Return `masks`, shape (n, height, width), each cleaned with the sizes of its part."""
    cleaned = np.empty(masks.shape, bool)
    for part, sizes in by_part.items():
        cleaned[parts == part] = clean(masks[parts == part], *sizes)
    return cleaned


def clean_out_of_fold(
    crops: OutOfFold, thresholds: Thresholds, settings: PostprocessConnectedComponents
) -> tuple[Masks, Cleaning]:
    """Choose sizes, and return the out-of-fold masks cleaned with those of their parts."""
    pairs = size_pairs(settings.salt_sizes, settings.hole_sizes)
    cleaning = search_sizes(crops.probabilities, crops.truth, crops.parts, thresholds, pairs)
    masks = salt_masks(crops.probabilities, thresholds.of(crops.parts))
    return clean_by_part(masks, crops.parts, cleaning.chosen.by_part), cleaning


def copy_labels(
    layout: Layout, crops: OutOfFold, masks: Masks, cleaning: Cleaning
) -> tuple[Masks, Cleaning, Copies]:
    """Copy labels of full columns down; see vertical_labels.

    Returns the cleaned out-of-fold masks with the copies in their places, the precisions after it,
    and the copies to test crops, by row.
    """
    own, test = copies_of(layout, crops.table["id"].tolist()), copies_to_test(layout)
    changed = with_copies(masks, own)
    print(f"labels of full columns copied down to {len(own)} train and {len(test)} test crops")
    return changed, replace(cleaning, after=precision(changed, crops.truth)), test


def write_test_masks(
    path: Path,
    probabilities: npt.NDArray[np.float16],
    threshold: float,
    sizes: Sizes,
    copies: Copies | None = None,
) -> None:
    """Write the cleaned masks of `probabilities`, shape (m, height, width), as a bool .npy.

    copies: masks to write in place of those that are predicted, by row.
    Works on CHUNK crops at a time, so that memory does not grow with their number.
    """
    parts = (
        with_copies(
            clean(salt_masks(probabilities[start : start + CHUNK], threshold), *sizes),
            copies or {},
            start,
        )
        for start in range(0, len(probabilities), CHUNK)
    )
    write_array_parts(path, probabilities.shape, bool, parts)


def nested_gain(
    cleaning: Cleaning, groups: Sequence[str], resamples: int, generator: np.random.Generator
) -> dict[str, Any]:
    """Return the nested scores and the gain from cleaning, each with its interval.

    groups, generator: see intervals.bootstrap_interval; both intervals use the same resamples.
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
        **cleaning.chosen.metrics(),
    }
