"""How many crops a recipe is assumed to learn from when its cost is estimated.

The estimate is made before anything has run.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saltseg.config.params import Params  # the command line starts without it

TRAIN = 4000
"""Training crops of the competition."""
PSEUDOLABELS = 15_493
"""Test crops that the 1st place pseudo-labelled."""


@dataclass(frozen=True)
class CropCounts:
    """Training crops in all folds, and test crops that a teacher labels for one fold."""

    train: int
    pseudolabels: int


def expected_crops(params: "Params", train: int | None, pseudolabels: int | None) -> CropCounts:
    """Return the given numbers, else those of the survey, where all test crops count as labelled.

    For other sources, which nobody has counted yet, the competition's.
    """
    survey = params.survey if params.ingest.source == "survey" else None
    return CropCounts(
        train if train is not None else survey.train if survey else TRAIN,
        pseudolabels if pseudolabels is not None else survey.test if survey else PSEUDOLABELS,
    )
