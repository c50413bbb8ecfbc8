"""Properties of crops that need no training: coverage, its class, vertical and black crops."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.crop_set import CropSet, known_depths

CLASSES = 11
"""Number of coverage classes: 0 for no salt, then one per tenth, rounded up."""

TINY = 100
"""A mask of up to this many pixels is tiny: one more wrong pixel costs several thresholds."""

MASK_KINDS = ("empty", "tiny", "vertical", "common")
"""Kinds of masks: no salt, at most TINY pixels, full columns only, and all others."""

_COVERAGE_BINS = 20
DEPTH_BIN = 50
"""Feet of a bin of the distribution of depth."""


def coverage_class(salt_pixels: npt.NDArray[np.int64], area: int) -> npt.NDArray[np.int64]:
    """Return ceil(10 * salt_pixels / area), 0 to 10, in exact integer arithmetic."""
    return -(-10 * salt_pixels // area)


def is_vertical(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which masks, of shape (crops, height, width), consist of full columns only."""
    same_rows = (masks == masks[:, :1]).all(axis=(1, 2))
    return np.logical_and(same_rows, masks[:, 0].any(axis=1))


def mask_kinds(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    """Return the kind of each mask, one of MASK_KINDS; masks: bool (crops, height, width)."""
    pixels = np.count_nonzero(masks, axis=(1, 2))
    *others, common = MASK_KINDS
    return np.select([pixels == 0, pixels <= TINY, is_vertical(masks)], others, common)


def is_black(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return which images, of shape (crops, height, width), are zero throughout."""
    return np.logical_not(images.any(axis=(1, 2)))


def describe_crops(crops: CropSet) -> pd.DataFrame:
    """Add what the pixels show to the table of a set.

    Returns the table with `coverage` (float64, share of salt pixels; NaN in test),
    `coverage_class` (int64; -1 in test), `vertical` (bool; False in test) and `black` (bool).
    """
    area = crops.train_masks[0].size
    salt_pixels = crops.train_masks.sum(axis=(1, 2), dtype=np.int64)
    train = crops.train.assign(
        coverage=salt_pixels / area,
        coverage_class=coverage_class(salt_pixels, area),
        vertical=is_vertical(crops.train_masks),
        black=is_black(crops.train_images),
    )
    test = crops.test.assign(
        coverage=np.nan, coverage_class=-1, vertical=False, black=is_black(crops.test_images)
    )
    return pd.concat([test, train]).sort_values(["split", "id"], ignore_index=True)


def count_classes(table: pd.DataFrame) -> dict[str, int | float]:
    """Count the training crops of each class, and the vertical and black crops."""
    train, test = table[table["split"] == "train"], table[table["split"] == "test"]
    classes = np.bincount(train["coverage_class"], minlength=CLASSES)
    return {
        **{f"class_{number:02d}": int(crops) for number, crops in enumerate(classes)},
        "mean_coverage": float(train["coverage"].mean()),
        "vertical": int(train["vertical"].sum()),
        "black_train": int(train["black"].sum()),
        "black_test": int(test["black"].sum()),
    }


def class_summary(train: pd.DataFrame) -> pd.DataFrame:
    """Count the crops of each class, including empty ones, with their range of coverage."""
    grouped = train.groupby("coverage_class")["coverage"]
    summary = grouped.agg(crops="size", least="min", mean="mean", largest="max")
    summary = summary.reindex(pd.RangeIndex(CLASSES, name="coverage_class"))
    summary["crops"] = summary["crops"].fillna(0).astype("int64")
    return summary.reset_index()


def coverage_distribution(train: pd.DataFrame) -> pd.DataFrame:
    """Count the crops in bins of coverage; the first bin, up to 0, holds those without salt."""
    bins = np.ceil(_COVERAGE_BINS * train["coverage"]).astype("int64")
    crops = np.bincount(bins, minlength=_COVERAGE_BINS + 1)
    return pd.DataFrame({"up_to": np.arange(len(crops)) / _COVERAGE_BINS, "crops": crops})


def depth_distribution(table: pd.DataFrame) -> pd.DataFrame:
    """Return the share of train and of test crops in each bin of depth (its shallow end, feet).

    No line where no depth is known.
    """
    depth = (known_depths(table) // DEPTH_BIN * DEPTH_BIN).rename("depth")
    shares = pd.crosstab(depth, table["split"], normalize="columns")
    bins = range(depth.min(), depth.max() + 1, DEPTH_BIN) if len(depth) else range(0)
    return shares.reindex(index=bins, columns=["train", "test"], fill_value=0.0).reset_index()
