"""Crops with masks to learn from or to be scored on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops import CropSet, depth, load_array
from saltseg.params import Phase
from saltseg.pseudolabels import PseudoLabels

ARRAYS = ("images", "masks", "depth")
"""Files of the crops for pretraining."""


@dataclass(frozen=True)
class LabelledCrops:
    """Crops in memory, ready for training.

    images: uint8 (n, h, w); masks: bool (n, h, w); depth: float32 (n,) in feet.
    """

    images: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.bool_]
    depth: npt.NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of crops."""
        return len(self.images)


def training_crops(
    crops: CropSet, folds: pd.DataFrame, fold: int
) -> tuple[LabelledCrops, LabelledCrops]:
    """Return the training crops outside of `fold`, and those in it; joined by id.

    folds: lines with `id` and `fold`.
    """
    table = crops.train.merge(folds[["id", "fold"]], on="id", validate="one_to_one")
    return (
        _take(crops, table[table["fold"] != fold]),
        _take(crops, table[table["fold"] == fold]),
    )


def _take(crops: CropSet, lines: pd.DataFrame) -> LabelledCrops:
    rows = lines["row"].to_numpy()
    return LabelledCrops(crops.train_images[rows], crops.train_masks[rows], depth(lines))


def pseudolabelled_crops(crops: CropSet, labels: PseudoLabels) -> LabelledCrops:
    """Return the test crops that a teacher labelled, with its masks."""
    rows = labels.kept["row"].to_numpy(np.int64)
    return LabelledCrops(crops.test_images[rows], np.array(labels.masks), depth(crops.test)[rows])


def survey_crops(folder: Path, phases: Sequence[Phase]) -> dict[str, LabelledCrops]:
    """Return the synthetic survey's crops by the name of the phases' `data`; none if none asks.

    folder: as ingest writes it. Raises InputError where a file is missing.
    """
    if all(phase.data != "survey" for phase in phases):
        return {}
    images, masks, feet = (load_array(folder / f"{name}.npy") for name in ARRAYS)
    return {"survey": LabelledCrops(images, masks, feet.astype(np.float32))}
