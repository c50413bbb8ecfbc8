"""The score over a fixed range of thresholds: for comparing trainings, not for quoting.

No threshold is chosen, so the noise of the choice is not in it; and a mean over thresholds moves
less from one training to the next than the score at any one of them.
"""

import numpy as np
import numpy.typing as npt

from saltseg.scoring.metric import Scores, precision_curve
from saltseg.selection.nested_choice import threshold_grid

LOW, HIGH, COUNT = 0.4, 0.6, 21


def score_over_thresholds(
    probabilities: npt.NDArray[np.float16], truth: npt.NDArray[np.bool_]
) -> Scores:
    """Return each crop's mean precision over thresholds LOW to HIGH: float64, shape (n,).

    probabilities: float16, shape (n, height, width); truth: bool, the same shape. Masks are not
    cleaned.
    """
    curve = precision_curve(probabilities, truth, threshold_grid(LOW, HIGH, COUNT))
    means: Scores = curve.mean(axis=1)
    return means
