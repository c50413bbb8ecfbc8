import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.census import count_crops
from saltseg.crops.crop_set import CropSet, crop_table


def filled(*greys: int) -> npt.NDArray[np.uint8]:
    """One flat image for each grey."""
    return np.repeat(np.array(greys, dtype=np.uint8), 101 * 101).reshape(-1, 101, 101)


def with_salt(*pixels: int) -> npt.NDArray[np.bool_]:
    """One mask for each number of salt pixels."""
    return np.arange(101 * 101).reshape(1, 101, 101) < np.array(pixels)[:, None, None]


def test_crops_are_counted() -> None:
    names = np.array(list("abcdefghij"))
    train = pd.DataFrame({"id": names[:6], "depth": [50, 60, 70, 80, 90, 250]})
    test = pd.DataFrame({"id": names[6:], "depth": [10, 20, 30, 40]})
    crops = CropSet(
        crop_table(train, test, names[6:]),
        filled(0, 0, 5, 5, 5, 6),
        with_salt(0, 0, 0, 101, 10200, 10201),
        filled(0, 5, 7, 7),
    )

    assert count_crops(crops) == {
        "train": {
            "crops": 6,
            "black": 2,
            "duplicates": 2,
            "depth_min": 50,
            "depth_mean": 100,
            "depth_max": 250,
            "empty": 3,
            "fully_salt": 1,
            "salt_share": round((101 + 10200 + 10201) / (6 * 10201), 6),
        },
        "test": {
            "crops": 4,
            "black": 1,
            "duplicates": 1,
            "depth_min": 10,
            "depth_mean": 25,
            "depth_max": 40,
            "duplicates_of_train": 1,
        },
    }
