"""The kind of error of a crop's mask: missed, false, boundary or suspected label noise."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from saltseg.reports.panels import Mask
from saltseg.scoring.metric import Scores

KINDS = ("missed", "false", "boundary", "suspected label noise")
"""Kinds of errors, in the order of reports."""

NEAR = 5
"""Distance from the true boundary, in pixels, within which a wrong pixel is a boundary error."""

SURE = 0.95
"""Least probability with which a model's prediction counts against a label."""


def error_kinds(
    predicted: Mask,
    truth: Mask,
    probabilities: npt.NDArray[np.float16],
    vertical: npt.NDArray[np.bool_],
) -> npt.NDArray[np.str_]:
    """Return the kind of each crop's error, one of KINDS, or "" if no pixel is wrong.

    predicted, truth: bool (n, h, w). probabilities: float16 (n, h, w), out-of-fold. vertical: bool
    (n,), crops labelled by whole columns.

    It is a boundary error if most wrong pixels are within NEAR pixels of the boundary and at least
    half of the smaller mask was hit. Label noise is suspected if the label is vertical, or, except
    for boundary errors, if most wrong pixels contradict it with at least the mean confidence of the
    other class (confident learning: Northcutt, Jiang and Chuang 2021) and at least SURE. All others
    are missed or false, whichever has more pixels.
    """
    wrong = predicted != truth
    salt, rock = (max(SURE, usual) for usual in _usual_confidence(probabilities, truth))
    kinds = [
        _kind(predicted[at], truth[at], _contradicts(probabilities[at], truth[at], salt, rock))
        for at in range(len(truth))
    ]
    suspected = wrong.any(axis=(1, 2)) & vertical
    return np.where(suspected, KINDS[3], np.array(kinds, dtype=object)).astype(str)


def _usual_confidence(probabilities: npt.NDArray[np.float16], truth: Mask) -> tuple[float, float]:
    """Return the mean probability of salt in labelled salt, and of rock in labelled rock."""
    in_salt, everywhere = 0.0, 0.0
    for crop, mask in zip(probabilities, truth, strict=True):  # float16 sums would overflow
        values = crop.astype(np.float64)
        in_salt += float(values[mask].sum())
        everywhere += float(values.sum())
    salt = int(np.count_nonzero(truth))
    rock = truth.size - salt
    return in_salt / max(salt, 1), 1 - (everywhere - in_salt) / max(rock, 1)


def _contradicts(
    probabilities: npt.NDArray[np.float16], truth: Mask, salt: float, rock: float
) -> Mask:
    values = probabilities.astype(np.float64)
    return np.where(truth, 1 - values >= rock, values >= salt)


def _kind(predicted: Mask, truth: Mask, contradicting: Mask) -> str:
    wrong = predicted != truth
    count, hit = np.count_nonzero(wrong), np.count_nonzero(predicted & truth)
    if count == 0:
        return ""
    met = 0 < min(np.count_nonzero(predicted), np.count_nonzero(truth)) <= 2 * hit
    if met and 2 * np.count_nonzero(wrong & _near_boundary(truth)) > count:
        return KINDS[2]
    if 2 * np.count_nonzero(wrong & contradicting) > count:
        return KINDS[3]
    return KINDS[0] if 2 * np.count_nonzero(wrong & truth) > count else KINDS[1]


def _near_boundary(truth: Mask) -> Mask:
    """Return the pixels within NEAR of the other class."""
    if not truth.any() or truth.all():
        return np.zeros_like(truth)
    inside = ndimage.distance_transform_edt(truth)
    outside = ndimage.distance_transform_edt(~truth)
    return np.asarray(np.maximum(inside, outside) <= NEAR)


def worst_of(
    kind: str, kinds: npt.NDArray[np.str_], scores: Scores, wrong: npt.NDArray[np.intp], count: int
) -> npt.NDArray[np.intp]:
    """Return up to `count` crops of a kind: lowest scores first, then most wrong pixels."""
    own = np.flatnonzero(kinds == kind)
    return own[np.lexsort((-wrong[own], scores[own]))[:count]]
