"""Further segmentation metrics: IoU, Dice, pixel precision and recall, boundary distance.

They complement the competition's score, which counts thresholds that the IoU exceeds.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Masks = npt.NDArray[np.bool_]
Measures = npt.NDArray[np.float64]


def iou(predicted: Masks, truth: Masks) -> Measures:
    """Return each crop's intersection over union: float64 (n,); 1 where both masks are empty.

    predicted, truth: bool (n, height, width).
    """
    intersection, union = _count(predicted & truth), _count(predicted | truth)
    return np.where(union == 0, 1.0, intersection / np.maximum(union, 1))


def dice(predicted: Masks, truth: Masks) -> Measures:
    """Return each crop's Dice coefficient: float64 (n,); 1 where both masks are empty."""
    intersection, total = _count(predicted & truth), _count(predicted) + _count(truth)
    return np.where(total == 0, 1.0, 2 * intersection / np.maximum(total, 1))


def pixel_precision(predicted: Masks, truth: Masks) -> float:
    """Return the precision over the pixels of all crops; NaN if no salt is predicted."""
    return _share(predicted & truth, predicted)


def pixel_recall(predicted: Masks, truth: Masks) -> float:
    """Return the recall over the pixels of all crops; NaN if there is no salt."""
    return _share(predicted & truth, truth)


def boundary_distance(predicted: Masks, truth: Masks) -> Measures:
    """Return each crop's mean symmetric boundary distance in pixels: float64 (n,).

    The mean of the distances of all boundary pixels of either mask to the nearest boundary pixel
    of the other: the average symmetric surface distance of Heimann et al. 2009 ("Comparison and
    evaluation of methods for liver segmentation from CT datasets"). The edge of a crop is not a
    boundary: salt may continue beyond it. NaN if one of the masks has no boundary.
    """
    return np.array([_boundary_distance(*pair) for pair in zip(predicted, truth, strict=True)])


def boundary(mask: Masks) -> Masks:
    """Return the salt pixels next to background in one mask, bool (height, width)."""
    return mask & ~ndimage.binary_erosion(mask, border_value=1)


def _boundary_distance(predicted: Masks, truth: Masks) -> float:
    ours, theirs = boundary(predicted), boundary(truth)
    if not (ours.any() and theirs.any()):
        return float("nan")
    to_theirs = ndimage.distance_transform_edt(~theirs)[ours]
    to_ours = ndimage.distance_transform_edt(~ours)[theirs]
    return float((to_theirs.sum() + to_ours.sum()) / (len(to_theirs) + len(to_ours)))


def _count(masks: Masks) -> npt.NDArray[np.intp]:
    return np.asarray(np.count_nonzero(masks, axis=(1, 2)))


def _share(part: Masks, whole: Masks) -> float:
    count = np.count_nonzero(whole)
    return float(np.count_nonzero(part) / count) if count else float("nan")
