"""Traits of masks besides their coverage, and selection that keeps them at the real shares."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from saltseg.survey.grid import Mask

TRAIT_SHARES = np.array([0.43, 0.66, 0.77, 0.63, 0.67, 0.073, 0.009])
"""Share of each of `traits` among the real train masks that hold salt."""

TOLERANCE = 0.015
"""Share of all masks by which a trait may be too frequent or too rare."""

SLACK = 2
"""Additional tolerance in masks, for small sets."""

Traits = npt.NDArray[np.bool_]


def traits(mask: Mask) -> Traits:
    """Return the traits of a mask with salt.

    Returns shape (7,): a full column; touches the top, bottom, left, right; two pieces; more.
    """
    pieces = ndimage.label(mask)[1]
    borders = (mask[0].any(), mask[-1].any(), mask[:, 0].any(), mask[:, -1].any())
    return np.array([mask.all(axis=0).any(), *borders, pieces == 2, pieces > 2])


class Balance:
    """Tracks how far the traits of the chosen masks are from the real shares."""

    def __init__(self, masks: int) -> None:
        """Track a set that will have `masks` masks with salt."""
        self._masks = masks
        self._excess = np.zeros_like(TRAIT_SHARES)

    def add(self, chosen: Traits) -> None:
        """Count a mask."""
        self._excess += chosen - TRAIT_SHARES

    def pull(self, candidate: Traits) -> float:
        """Return how much a mask would add to the imbalance; negative if it would reduce it."""
        variance = TRAIT_SHARES * (1 - TRAIT_SHARES)
        return float((self._excess / variance) @ (candidate - TRAIT_SHARES)) / max(self._masks, 1)

    def allows(self, candidate: Traits) -> bool:
        """Return whether a mask would keep every trait within tolerance, or not worsen it."""
        after = self._excess + candidate - TRAIT_SHARES
        worse = np.abs(after) > np.abs(self._excess)
        return not (worse & (np.abs(after) > TOLERANCE * self._masks + SLACK)).any()
