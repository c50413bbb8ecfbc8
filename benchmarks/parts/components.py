"""Removing small components and filling holes at 20 settings, against one library call each."""

from itertools import product

import numpy as np
from scipy import ndimage
from skimage.morphology import remove_small_holes, remove_small_objects

from benchmarks.side_by_side import Row, compare
from benchmarks.smooth_crops import probabilities_and_truths
from saltseg.scoring.components import clean, precision_by_sizes
from saltseg.scoring.metric import Scores, precision
from saltseg.scoring.rle import Masks

CROPS = 4_000
FEW = 200
"""Crops for the libraries."""
SIZES = list(product([0, 10, 20, 40, 80], [0, 10, 40, 160]))
DIAGONALS = np.ones((3, 3), bool)
SKIMAGE = "skimage once a setting, which fills at the border too"


def rows() -> list[Row]:
    """Measure the scores of all settings."""
    probabilities, truth = probabilities_and_truths(CROPS)
    masks = probabilities > 0.5
    few, few_truth = masks[:FEW], truth[:FEW]
    expected = np.stack(scipy_each(few, few_truth), axis=1)
    assert np.array_equal(precision_by_sizes(few, few_truth, SIZES), expected)
    return [
        *compare(
            f"components, {len(SIZES)} settings, {CROPS:,} crops",
            lambda: precision_by_sizes(masks, truth, SIZES),
            {"saltseg's own cleaning once a setting": lambda: cleaned_each(masks, truth)},
            {},
            repeats=3,
        ),
        *compare(
            f"components, {len(SIZES)} settings, {FEW} crops",
            lambda: precision_by_sizes(few, few_truth, SIZES),
            {
                SKIMAGE: lambda: skimage_each(few, few_truth),
                "scipy once a setting": lambda: scipy_each(few, few_truth),
            },
            {SKIMAGE: 10, "scipy once a setting": 10},
            repeats=3,
        ),
    ]


def cleaned_each(masks: Masks, truth: Masks) -> list[Scores]:
    return [precision(clean(masks, *sizes), truth) for sizes in SIZES]


def skimage_each(masks: Masks, truth: Masks) -> list[Scores]:
    """Fill and drop image by image by what the library has for it."""

    def cleaned(mask: np.ndarray, salt: int, hole: int) -> np.ndarray:
        filled = remove_small_holes(mask, max_size=hole - 1) if hole else mask
        return remove_small_objects(filled, max_size=salt - 1, connectivity=2) if salt else filled

    return [
        precision(np.stack([cleaned(mask, *sizes) for mask in masks]), truth) for sizes in SIZES
    ]


def scipy_each(masks: Masks, truth: Masks) -> list[Scores]:
    """Label and count image by image; what touches the border is no hole."""

    def small(
        mask: np.ndarray, size: int, structure: np.ndarray | None, inside: bool
    ) -> np.ndarray:
        if not size:
            return np.zeros_like(mask)
        labels, _ = ndimage.label(mask, structure)
        few = np.bincount(labels.ravel()) < size
        if inside:
            for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
                few[border] = False
        return mask & few[labels]

    def cleaned(mask: np.ndarray, salt: int, hole: int) -> np.ndarray:
        filled = mask | small(~mask, hole, None, inside=True)
        return filled & ~small(filled, salt, DIAGONALS, inside=False)

    return [
        precision(np.stack([cleaned(mask, *sizes) for mask in masks]), truth) for sizes in SIZES
    ]
