"""The set of crops that stages hand on: arrays opened by memory map, and one table of ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.model_definitions import ModelDefinition
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import write_array, write_table

COLUMNS = ["id", "split", "row", "depth", "sample_order"]
"""Columns of the table that ingest writes; later stages add to them."""

NO_DEPTH = -1
"""Stands in the table for the depth of a crop that is not known."""


@dataclass(frozen=True)
class CropSet:
    """The crops of one competition or survey.

    table: one line a crop, sorted by split ("test" before "train") and id: `id` str, `split`
        "train" or "test", `row` int64 (the crop's index in the arrays of its split), `depth` int64
        in feet, NO_DEPTH where it is not known, `sample_order` int64 (position in the sample
        submission, -1 in train). Where they are known: `mosaic` str, the crops of one section or of
        sections beside each other.
    train_images, test_images: uint8, shape (crops, 101, 101).
    train_masks: bool, shape (crops, 101, 101); True is salt.
    """

    table: pd.DataFrame
    train_images: npt.NDArray[np.uint8]
    train_masks: npt.NDArray[np.bool_]
    test_images: npt.NDArray[np.uint8]

    @property
    def train(self) -> pd.DataFrame:
        """The train crops' part of the table, in the order of the train arrays."""
        return split_table(self.table, "train")

    @property
    def test(self) -> pd.DataFrame:
        """The test crops' part of the table, in the order of the test array."""
        return split_table(self.table, "test")

    def without_test(self) -> "CropSet":
        """Return the train crops alone."""
        return replace(self, table=self.train, test_images=self.test_images[:0])


def split_table(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return the lines of one split in the order of that split's arrays."""
    return table[table["split"] == split].sort_values("row").reset_index(drop=True)


def crop_table(
    train: pd.DataFrame, test: pd.DataFrame, sample_ids: list[str] | npt.NDArray[Any]
) -> pd.DataFrame:
    """Join two tables of `id` and `depth`, each in array order, into a set's table."""
    order = pd.Series(np.arange(len(sample_ids)), index=pd.Index(sample_ids, dtype=object))
    parts = [
        test.assign(split="test", row=np.arange(len(test)), sample_order=test["id"].map(order)),
        train.assign(split="train", row=np.arange(len(train)), sample_order=-1),
    ]
    table = pd.concat(parts, ignore_index=True)[COLUMNS]
    return table.astype({"row": "int64", "depth": "int64", "sample_order": "int64"})


def depth(table: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return the depth of each line, float32 (n,) in feet, as networks take it."""
    return table["depth"].to_numpy(np.float32)


def known_depths(table: pd.DataFrame) -> "pd.Series[int]":
    """Return the depths of the lines that have one, in feet."""
    return table["depth"][table["depth"] != NO_DEPTH]


def require_depths(table: pd.DataFrame, models: Mapping[str, ModelDefinition]) -> None:
    """Raise InputError, naming it, where one of `models` reads depths and a crop has none."""
    missing = table["id"][table["depth"] == NO_DEPTH].tolist()
    for name, model in models.items():
        if missing and "depth" in model.input.channels:
            raise InputError(
                f"models.{name}.input.channels: reads the depth, which {len(missing):,} of"
                f" {len(table):,} crops lack: {first_few(missing)}; add them to depths.csv, or take"
                " the channel out"
            )


def save_crops(folder: Path, crops: CropSet) -> None:
    """Write a set of crops: three .npy files and crops.parquet."""
    write_array(folder / "train_images.npy", crops.train_images)
    write_array(folder / "train_masks.npy", crops.train_masks)
    write_array(folder / "test_images.npy", crops.test_images)
    write_table(folder / "crops.parquet", crops.table)


def load_crops(folder: Path) -> CropSet:
    """Open a set of crops by memory map. Raises InputError where a file is missing."""
    return CropSet(
        table=load_table(folder / "crops.parquet"),
        train_images=load_array(folder / "train_images.npy"),
        train_masks=load_array(folder / "train_masks.npy"),
        test_images=load_array(folder / "test_images.npy"),
    )


def load_array(path: Path) -> npt.NDArray[Any]:
    """Open a .npy file by memory map. Raises InputError where it is missing or broken."""
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r")
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: cannot be opened ({error}); run dvc repro") from error
    return array


def load_table(path: Path) -> pd.DataFrame:
    """Read a parquet table. Raises InputError where it is missing or broken."""
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); run dvc repro") from error
