"""The competition's precision, exactly, for all crops at once, and its curve over thresholds."""

import cv2
import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

CHUNK = 16
"""Crops whose histograms are computed together: few enough to stay in the processor's cache."""
PACKED_CHUNK = 64
"""Crops whose masks are packed together, for the same reason."""
MOST_THRESHOLDS = 127
"""Largest number of thresholds whose bins, inside and outside the mask, fit into 8 bits."""
_INFINITY = np.float16(np.inf).view(np.uint16)
"""The bits of the largest float16 number."""


def precision(predicted: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> Scores:
    """Return the precision of each crop's mask: float64, shape (n,).

    predicted, truth: bool, shape (n, height, width); True is salt.

    A crop scores 0.1 for each t = 0.50, 0.55, ..., 0.95 that its intersection over union exceeds.
    Two empty masks score 1; one empty mask scores 0.
    Source: the evaluation page of the TGS Salt Identification Challenge.
    Raises ValueError if the shapes differ.
    """
    _check_shapes(predicted.shape, truth.shape)
    counts = np.empty((2, len(truth)), np.int64)
    for start in range(0, len(truth), PACKED_CHUNK):
        part = slice(start, start + PACKED_CHUNK)
        ours, theirs = _packed(predicted[part]), _packed(truth[part])
        for count, pixels in zip(counts, (ours & theirs, ours | theirs), strict=True):
            np.bitwise_count(pixels).sum(axis=1, out=count[part])
    return precision_of_counts(*counts)


def _check_shapes(predicted: tuple[int, ...], truth: tuple[int, ...]) -> None:
    if predicted != truth:
        raise ValueError(f"predictions of shape {predicted} do not match truth of shape {truth}")


def _packed(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Return the masks' pixels as bits in 64-bit numbers: shape (n, numbers), padded with 0."""
    bits = np.packbits(masks.reshape(len(masks), -1), axis=1)
    numbers = np.zeros((len(masks), -(-bits.shape[1] // 8)), np.uint64)
    numbers.view(np.uint8)[:, : bits.shape[1]] = bits
    return numbers


def precision_of_counts(intersection: Counts, union: Counts) -> Scores:
    """Return the precision from pixel counts of intersection and union, arrays of equal shape."""
    # Count integers k from 10 to 19 with k * union < 20 * intersection: exact, unlike floats.
    reached = -(-20 * intersection // np.maximum(union, 1)) - 10
    hits = np.where(union == 0, 10, np.clip(reached, 0, 10))
    return hits / 10


def salt_masks(
    probabilities: npt.NDArray[np.float16], thresholds: float | Scores
) -> npt.NDArray[np.bool_]:
    """Return where probability exceeds the threshold: bool, shape (n, height, width).

    probabilities: float16, shape (n, height, width).
    thresholds: one for all crops, or shape (n,); from 0 to 1. The comparison is exact; numpy would
        round a Python float to float16 first.
    Raises ValueError for probabilities of another dtype.
    """
    limits = np.asarray(thresholds, np.float64).reshape(-1, 1, 1)
    nearest = limits.astype(np.float16)
    # From 0 to infinity float16 numbers are ordered like their bits; larger bit patterns are NaN
    # and negative numbers, and differences below zero wrap around to large unsigned numbers.
    least = nearest.view(np.uint16) + (nearest <= limits)
    offsets = _bits(probabilities) - least
    return offsets <= _INFINITY - least


def _bits(numbers: npt.NDArray[np.float16]) -> npt.NDArray[np.uint16]:
    if numbers.dtype != np.float16:
        raise ValueError(f"probabilities are {numbers.dtype}, not float16")
    return numbers.view(np.uint16)


def precision_curve(
    probabilities: npt.NDArray[np.float16],
    truth: npt.NDArray[np.bool_],
    thresholds: Scores,
) -> Scores:
    """Return each crop's precision at each threshold: float64, shape (n, thresholds).

    probabilities: float16, shape (n, height, width); may be memory-mapped.
    truth: bool, the same shape.
    thresholds: float64, ascending.

    Equals precision(salt_masks(probabilities, threshold), truth) for every threshold.
    Raises ValueError if the shapes differ or the probabilities have another dtype.
    """
    _check_shapes(probabilities.shape, truth.shape)
    curve = np.empty((len(truth), len(thresholds)))
    for start in range(0, len(thresholds), MOST_THRESHOLDS):
        group = slice(start, start + MOST_THRESHOLDS)
        histograms = _histograms(probabilities, truth, thresholds[group])
        # Pixels in bin b or above exceed threshold b - 1.
        outside, inside = histograms[..., ::-1].cumsum(axis=2)[..., ::-1].swapaxes(0, 1)
        curve[:, group] = precision_of_counts(inside[:, 1:], outside[:, 1:] + inside[:, :1])
    return curve


def _histograms(
    probabilities: npt.NDArray[np.float16], truth: npt.NDArray[np.bool_], thresholds: Scores
) -> Counts:
    """Count each crop's pixels by how many thresholds they exceed: shape (n, 2, thresholds + 1).

    The second axis separates pixels outside and inside the true mask.
    """
    bins = len(thresholds) + 1
    table = _bins(thresholds)
    histograms = np.empty((len(truth), 2, bins), np.int64)
    for start in range(0, len(truth), CHUNK):
        part = slice(start, start + CHUNK)
        masks = truth[part].reshape(len(truth[part]), -1)
        pixels = cv2.LUT(_bits(probabilities[part]).reshape(masks.shape), table)
        pixels += np.uint8(bins) * masks
        for histogram, crop in zip(histograms[part], pixels, strict=True):
            counts = cv2.calcHist([crop], [0], None, [2 * bins], [0, 2 * bins])
            histogram[:] = counts.reshape(2, bins)
    return histograms


def _bins(thresholds: Scores) -> npt.NDArray[np.uint8]:
    """Return how many thresholds each float16 number exceeds, in the order of their bits."""
    numbers = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64)
    exceeded = np.searchsorted(thresholds, numbers)
    return np.where(np.isnan(numbers), 0, exceeded).astype(np.uint8)
