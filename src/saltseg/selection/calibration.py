"""Probabilities that mean what they say: of pixels with .8, eight in ten are salt.

Platt scaling (Platt 1999, Guo et al. 2017): p = sigmoid(slope * logit + offset), fitted by the
least log loss over the pixels of out-of-fold crops. With offset 0 it is temperature scaling, of
temperature 1 / slope; the offset corrects losses that shift all probabilities to one side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

BINS = 20
"""Bins of equal width in which the reliability of probabilities is told."""
_LEAST = 2.0**-12
"""Probabilities are clipped to this, and to 1 less this, so that logits are finite: half precision
is no finer below 1."""
_STEPS, _ENOUGH = 100, 1e-10


@dataclass(frozen=True)
class Calibration:
    """The line that logits are moved by; slope is above 0, so that no order changes."""

    slope: float = 1.0
    offset: float = 0.0

    def apply(self, probabilities: npt.NDArray[np.floating]) -> Floats:
        """Return calibrated probabilities, float64 of the same shape."""
        return 1 / (1 + np.exp(-(self.slope * logits(probabilities) + self.offset)))


@dataclass(frozen=True)
class Pixels:
    """All that a fit needs to know of pixels: how many there are of each probability.

    probabilities: float64 (k,), rising. count, salt: int64 (k,), pixels, and those that are salt.
    """

    probabilities: Floats
    count: Counts
    salt: Counts


@dataclass(frozen=True)
class Reliability:
    """Pixels by what was said of them, in BINS bins: mean probability, share of salt, share of all.

    error: the expected calibration error, the mean over pixels of |said - share of salt| of their
    bin (Naeini et al. 2015). log_loss: the mean of -log of what was said of the truth.
    """

    said: Floats
    salt: Floats
    share: Floats
    error: float
    log_loss: float


def logits(probabilities: npt.NDArray[np.floating]) -> Floats:
    """Return log(p / (1 - p)), float64."""
    held = np.clip(probabilities.astype(np.float64), _LEAST, 1 - _LEAST)
    return np.log(held / (1 - held))


def count_pixels(
    probabilities: npt.NDArray[np.float16], truth: npt.NDArray[np.bool_]
) -> list[Pixels]:
    """Count the pixels of each crop by their probability in half precision; exact.

    probabilities: float16 (n, h, w); truth: bool of the same shape.
    """
    found = []
    for said, salt in zip(probabilities, truth, strict=True):
        bits, inverse = np.unique(np.ascontiguousarray(said).view(np.uint16), return_inverse=True)
        count = np.bincount(inverse.ravel(), minlength=len(bits))
        hits = np.bincount(inverse.ravel(), salt.ravel(), len(bits)).astype(np.int64)
        found.append(Pixels(bits.view(np.float16).astype(np.float64), count, hits))
    return found


def together(crops: Sequence[Pixels]) -> Pixels:
    """Add up the pixels of crops."""
    said = np.concatenate([each.probabilities for each in crops])
    values, inverse = np.unique(said, return_inverse=True)
    count, salt = np.zeros(len(values), np.int64), np.zeros(len(values), np.int64)
    np.add.at(count, inverse, np.concatenate([each.count for each in crops]))
    np.add.at(salt, inverse, np.concatenate([each.salt for each in crops]))
    return Pixels(values, count, salt)


def fit(pixels: Pixels) -> Calibration:
    """Fit by Newton's method: a logistic regression with one input, whose loss has one minimum.

    Pixels that are all salt, all without, or all of one probability change nothing.
    """
    x = logits(pixels.probabilities)
    salt, count = pixels.salt.astype(np.float64), pixels.count.astype(np.float64)
    if not 0 < salt.sum() < count.sum() or np.ptp(x) == 0:
        return Calibration()
    at = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        said = 1 / (1 + np.exp(-(at[0] * x + at[1])))
        rest, spread = count * said - salt, count * said * (1 - said)
        slope = np.array([rest @ x, rest.sum()])
        bend = np.array([[spread @ x**2, spread @ x], [spread @ x, spread.sum()]])
        step = np.linalg.lstsq(bend, slope, rcond=None)[0]
        at -= np.clip(step, -1, 1)
        if np.abs(step).max() < _ENOUGH:
            break
    return Calibration(float(at[0]), float(at[1])) if at[0] > 0 else Calibration()


@dataclass(frozen=True)
class Judgement:
    """A calibration, and what it is worth on crops that it was not fitted on.

    fitted: on all crops, for those that are predicted next. by_part: for each part, on the others.
    before, after: of all crops' pixels without calibration, and each with its part's.
    """

    fitted: Calibration
    by_part: dict[int, Calibration]
    before: Reliability
    after: Reliability

    def metrics(self) -> dict[str, float]:
        """Return the figures that say what it is worth, by name."""
        return {
            "calibration_slope": self.fitted.slope,
            "calibration_offset": self.fitted.offset,
            "calibration_error_before": self.before.error,
            "calibration_error": self.after.error,
            "log_loss_before": self.before.log_loss,
            "log_loss": self.after.log_loss,
        }


def judge(crops: Sequence[Pixels], parts: npt.NDArray[np.int64]) -> Judgement:
    """Fit on all crops, and nested: each part's on the others. A single part stays as it is.

    parts: int64 (n,), one for each of `crops`; see nested_choice.selection_parts.
    """
    labels = np.unique(parts).tolist()
    sums = {
        part: together([crops[at] for at in np.flatnonzero(parts == part).tolist()])
        for part in labels
    }
    by_part = {
        part: fit(together([sums[other] for other in labels if other != part]))
        if len(labels) > 1
        else Calibration()
        for part in labels
    }
    moved = [
        Pixels(by_part[part].apply(own.probabilities), own.count, own.salt)
        for part, own in sums.items()
    ]
    everything = together(list(sums.values()))
    return Judgement(
        fit(everything), by_part, reliability(everything), reliability(together(moved))
    )


def reliability(pixels: Pixels) -> Reliability:
    """Measure how far probabilities are what they say."""
    said, count = pixels.probabilities, pixels.count.astype(np.float64)
    places = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    sums = [np.bincount(places, each, BINS) for each in (count, count * said, pixels.salt)]
    held, total, salt = (np.asarray(each, np.float64) for each in sums)
    filled = np.maximum(held, 1)
    kept = np.clip(said, _LEAST, 1 - _LEAST)
    loss = -(pixels.salt * np.log(kept) + (count - pixels.salt) * np.log(1 - kept)).sum()
    return Reliability(
        np.where(held > 0, total / filled, np.nan),
        np.where(held > 0, salt / filled, np.nan),
        held / held.sum(),
        float(np.abs(total - salt).sum() / held.sum()),
        float(loss / held.sum()),
    )
