"""What a set holds is counted right, and the figure's crops span the coverage."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.census import count_crops, spread_over_coverage
from saltseg.crops import CropSet, crop_table


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


def test_the_chosen_crops_go_from_no_salt_to_the_most() -> None:
    pixels = np.random.default_rng(5).permutation(np.r_[np.zeros(100, int), 1:301])

    chosen = pixels[spread_over_coverage(with_salt(*pixels), 64)]

    assert len(chosen) == 64
    assert chosen[:8].tolist() == [0] * 8
    assert chosen[8] == 1 and chosen[-1] == 300
    assert (np.diff(chosen[8:]) > 0).all() and np.diff(chosen[8:]).max() <= 6


def test_few_crops_are_all_chosen_once() -> None:
    chosen = spread_over_coverage(with_salt(3, 0, 2), 64)

    assert chosen.tolist() == [1, 2, 0]


def test_a_set_without_salt_still_gives_a_choice() -> None:
    assert len(spread_over_coverage(with_salt(0, 0, 0), 64)) == 3
