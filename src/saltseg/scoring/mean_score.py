"""The score of a set of masks, as one number."""

from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.scoring.metric import precision


def score(masks: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    """Return the competition's score of predicted masks: a mean over crops, from 0 to 1.

    masks, truth: bool, both of shape (n, height, width) or (height, width); True is salt.

    A crop scores 0.1 for each t = 0.50, 0.55, ..., 0.95 that the intersection over union of its
    mask and the truth exceeds. Two empty masks score 1; one empty mask scores 0.
    Source: the evaluation page of the TGS Salt Identification Challenge.
    Raises InputError for other types, shapes that differ, and no crops.
    """
    predicted, true = _checked("masks", masks), _checked("truth", truth)
    if predicted.shape != true.shape:
        raise InputError(
            f"masks: have shape {predicted.shape}, the truth {true.shape}; give one mask for each"
        )
    if predicted.ndim == 2:
        predicted, true = predicted[None], true[None]
    return float(precision(predicted, true).mean())


def _checked(name: str, masks: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401  # what a user gives
    array: npt.NDArray[Any] = np.asarray(masks)
    if array.dtype != bool:
        raise InputError(
            f"{name}: hold {array.dtype}, not truth values; give e.g. probabilities > threshold"
        )
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(
            f"{name}: have shape {array.shape}; give (n, height, width) or (height, width)"
        )
    return array
