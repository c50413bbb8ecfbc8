"""Connected components of masks: removing small ones, and scoring every choice of sizes at once.

Salt pixels are 8-connected, background pixels 4-connected. So crossing diagonals never connect
both, and components are nested as a tree: each hole is surrounded by one salt component, each
island by one background component.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from saltseg.scoring.metric import Scores, precision_of_counts

Masks = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

CHUNK = 500
"""Crops labelled together; bounds the memory to about 100 MB."""


@dataclass(frozen=True)
class Components:
    """The components of n masks, with and without salt; a component never spans two crops.

    labels: int64, shape (n, height, width); the pixel's position in the other arrays, shape (k,).
    crop: int64; the component's crop.
    size: int64; its pixels.
    is_salt: bool.
    is_hole: bool; background that does not touch the crop's border. What the border cuts is not a
        hole, since its true extent is unknown.
    parent: int64; the surrounding component, or the component itself if it touches the top border.
    """

    labels: Integers
    crop: Integers
    size: Integers
    is_salt: Masks
    is_hole: Masks
    parent: Integers


def find_components(masks: Masks) -> Components:
    """Label the components of `masks`: bool, shape (n, height, width)."""
    labels, salt_count, count = _labels(masks)
    size = np.bincount(labels.ravel(), minlength=count)
    is_salt = np.arange(count) < salt_count
    touches = np.zeros(count, bool)
    for border in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        touches[border] = True
    # The first pixel of a component off the top border lies below one of its surrounding component.
    # numpy keeps the last of several values for one position, hence the reversed order.
    crops, rows, columns = np.nonzero(masks[:, 1:] != masks[:, :-1])
    below = labels[crops, rows + 1, columns][::-1]
    parent, crop = np.arange(count), np.empty(count, np.int64)
    parent[below] = labels[crops, rows, columns][::-1]
    crop[below] = crops[::-1]
    top = labels[:, 0]
    parent[top] = top
    crop[top] = np.arange(len(masks))[:, None]
    return Components(labels, crop, size, is_salt, ~is_salt & ~touches, parent)


def _labels(masks: Masks) -> tuple[Integers, int, int]:
    """Return labels from 0, salt first, the number of salt components, and of all."""
    count, height, width = masks.shape
    # All crops in one tall image, separated by rows of neither kind.
    tall = np.zeros((2, count, height + 1, width), np.uint8)
    tall[0, :, :height] = masks
    tall[1, :, :height] = ~masks
    tall = tall.reshape(2, -1, width)
    salt_count, salt = cv2.connectedComponents(tall[0], connectivity=8)
    rest_count, rest = cv2.connectedComponents(tall[1], connectivity=4)
    rest[rest > 0] += salt_count - 1
    labels = (salt + rest).reshape(count, height + 1, width)[:, :height].astype(np.int64) - 1
    return labels, salt_count - 1, salt_count + rest_count - 2


def salt_after(components: Components, salt_size: int, hole_size: int) -> Masks:
    """Return for each component whether it is salt after cleaning: bool, shape (k,).

    Holes smaller than `hole_size` pixels are filled first; they and the islands in them then belong
    to the surrounding component. Then salt components smaller than `salt_size` are removed.
    """
    filled = components.is_hole & (components.size < hole_size)
    merges = filled | (components.is_salt & filled[components.parent])
    root = np.where(merges, components.parent, np.arange(len(filled)))
    while not np.array_equal(root, root[root]):
        root = root[root]
    merged_size = np.bincount(root, components.size, minlength=len(filled))
    return (components.is_salt | filled) & (merged_size[root] >= salt_size)


def clean(masks: Masks, salt_size: int, hole_size: int) -> Masks:
    """Return `masks` with small holes filled and small salt components removed: see salt_after.

    masks: bool, shape (n, height, width). Sizes of 0 change nothing.
    """
    cleaned = np.empty(masks.shape, bool)
    for start in range(0, len(masks), CHUNK):
        components = find_components(masks[start : start + CHUNK])
        salt = salt_after(components, salt_size, hole_size)
        cleaned[start : start + CHUNK] = salt[components.labels]
    return cleaned


def precision_by_sizes(masks: Masks, truth: Masks, sizes: Sequence[tuple[int, int]]) -> Scores:
    """Return each crop's precision for each pair of sizes: float64, shape (n, sizes).

    masks, truth: bool, shape (n, height, width).
    sizes: pairs of salt size and hole size.

    Equals precision(clean(masks, salt_size, hole_size), truth) for every pair, but labels once:
    after that each pair is arithmetic on components.
    """
    scores = np.empty((len(masks), len(sizes)))
    for start in range(0, len(masks), CHUNK):
        part = slice(start, start + CHUNK)
        components = find_components(masks[part])
        scores[part] = _score_sizes(components, truth[part], sizes)
    return scores


def _score_sizes(components: Components, truth: Masks, sizes: Sequence[tuple[int, int]]) -> Scores:
    hits = np.bincount(components.labels[truth], minlength=len(components.size))
    truth_area = np.count_nonzero(truth, axis=(1, 2))
    scores = np.empty((len(truth), len(sizes)))
    for column, (salt_size, hole_size) in enumerate(sizes):
        salt = salt_after(components, salt_size, hole_size)
        crops = components.crop[salt]
        area, intersection = (
            np.bincount(crops, pixels[salt], minlength=len(truth)).astype(np.int64)
            for pixels in (components.size, hits)
        )
        scores[:, column] = precision_of_counts(intersection, area + truth_area - intersection)
    return scores
