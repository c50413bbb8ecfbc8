"""Blending submissions: a vote of their masks, pixel by pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.scoring.submission import Checked, check_ids, read_codes, write_submission


@dataclass(frozen=True)
class Blended:
    """What a vote came to.

    ties: pixels with as many votes for salt as against it, in `tied_crops`. changed: crops whose
    mask differs from the first submission's.
    """

    checked: Checked
    ties: int
    tied_crops: int
    changed: int


def blend_submissions(paths: Sequence[Path], out: Path) -> Blended:
    """Write the vote of two or more submissions to `out`: salt is what more than half call salt.

    A tied pixel, of an even number of submissions, is as in the first one, so name the best first.
    Ids and their order are those of the first; the others may have another order. A submission
    that is named twice votes twice. Raises InputError as check_submission does.
    """
    if len(paths) < 2:
        raise InputError(f"{paths[0] if paths else 'blend'}: a vote needs two submissions or more")
    first, *others = (read_codes(path) for path in paths)
    for each in others:
        check_ids(each, first, "the first submission")
    parts, ties, changed = [], [], []
    voters = [first.masks(), *(each.ordered(first.ids).masks() for each in others)]
    for masks in zip(*voters, strict=True):
        voted, tied = _vote(masks)
        parts.append(voted)
        ties.append(tied.sum(axis=(1, 2)))
        changed.append((voted != masks[0]).any(axis=(1, 2)))
    checked = write_submission(out, paths[0], first.ids, np.concatenate(parts))
    tied_pixels = np.concatenate(ties)
    return Blended(
        checked,
        int(tied_pixels.sum()),
        int(np.count_nonzero(tied_pixels)),
        int(np.count_nonzero(np.concatenate(changed))),
    )


def _vote(
    masks: Sequence[npt.NDArray[np.bool_]],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return the vote of masks, each bool (n, h, w), and where it is tied."""
    votes = np.sum(masks, axis=0, dtype=np.int64)
    tied = 2 * votes == len(masks)
    return (2 * votes > len(masks)) | (tied & masks[0]), tied
