"""What masks show beside their coverage, and the choice that keeps it at the real shares."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from saltseg.survey.grid import Mask

TRAIT_SHARES = np.array([0.43, 0.66, 0.77, 0.63, 0.67, 0.073, 0.009])
"""Share of each of `traits` among the real train masks that hold salt."""

TOLERANCE = 0.015
"""Share of all masks by which a trait may be too frequent or too rare."""

SLACK = 2
"""Masks more by which it may be so, for small sets."""

Traits = npt.NDArray[np.bool_]


def traits(mask: Mask) -> Traits:
    """Tell of a mask with salt whether it has a full column, which borders it touches, its pieces.

    Returns shape (7,): a full column; touches the top, bottom, left, right; two pieces; more.
    """
    pieces = ndimage.label(mask)[1]
    borders = (mask[0].any(), mask[-1].any(), mask[:, 0].any(), mask[:, -1].any())
    return np.array([mask.all(axis=0).any(), *borders, pieces == 2, pieces > 2])


class Balance:
    """How far the traits of the masks that were chosen are from their real shares."""

    def __init__(self, masks: int) -> None:
        """Keep the balance of a set that will have `masks` masks with salt."""
        self._masks = masks
        self._excess = np.zeros_like(TRAIT_SHARES)

    def add(self, chosen: Traits) -> None:
        """Count a mask."""
        self._excess += chosen - TRAIT_SHARES

    def pull(self, candidate: Traits) -> float:
        """Return how much a mask would add to the imbalance; negative where it would mend it."""
        variance = TRAIT_SHARES * (1 - TRAIT_SHARES)
        return float((self._excess / variance) @ (candidate - TRAIT_SHARES)) / max(self._masks, 1)

    def allows(self, candidate: Traits) -> bool:
        """Tell whether a mask takes no trait further off than the tolerance."""
        after = self._excess + candidate - TRAIT_SHARES
        worse = np.abs(after) > np.abs(self._excess)
        return not (worse & (np.abs(after) > TOLERANCE * self._masks + SLACK)).any()
