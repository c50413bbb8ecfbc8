"""Counts and statistics of a set of crops."""

import hashlib

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.coverage import is_black
from saltseg.crops.crop_set import CropSet, known_depths


def count_crops(crops: CropSet) -> dict[str, dict[str, int | float]]:
    """Return the counts of `train` and of `test`; depths are in feet.

    `duplicates` counts crops whose image, not black, occurred before in the same split;
    `duplicates_of_train` those of test whose image occurs in train.
    """
    salt = np.count_nonzero(crops.train_masks, axis=(1, 2))
    area = crops.train_masks[0].size
    train_images = _distinct(crops.train_images)
    test_images = _distinct(crops.test_images)
    return {
        "train": {
            **_count_split(crops, "train", len(train_images)),
            "empty": int(np.count_nonzero(salt == 0)),
            "fully_salt": int(np.count_nonzero(salt == area)),
            "salt_share": round(float(salt.mean() / area), 6),
        },
        "test": {
            **_count_split(crops, "test", len(test_images)),
            "duplicates_of_train": len(train_images & test_images),
        },
    }


def _count_split(crops: CropSet, split: str, distinct: int) -> dict[str, int | float]:
    table, images = (
        (crops.train, crops.train_images) if split == "train" else (crops.test, crops.test_images)
    )
    black = int(np.count_nonzero(is_black(images)))
    return {
        "crops": len(images),
        "black": black,
        "duplicates": len(images) - black - distinct,
        **_describe_depths(known_depths(table)),
    }


def _describe_depths(depth: "pd.Series[int]") -> dict[str, int | float]:
    """Describe the known depths; {} if there are none."""
    if depth.empty:
        return {}
    return {
        "depth_min": int(depth.min()),
        "depth_mean": round(float(depth.mean()), 3),
        "depth_max": int(depth.max()),
    }


def _distinct(images: npt.NDArray[np.uint8]) -> set[bytes]:
    """Return a hash of each different image that is not black."""
    shown = np.flatnonzero(~is_black(images))
    return {hashlib.blake2b(images[row].tobytes(), digest_size=16).digest() for row in shown}
