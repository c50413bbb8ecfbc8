"""Crops with masks to learn from or to be scored on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.params import Params, Phase
from saltseg.crops.crop_set import CropSet, depth, load_array
from saltseg.crops.folds import assign_folds
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels

ARRAYS = ("images", "masks", "depth")
"""Files of the crops for pretraining."""


@dataclass(frozen=True)
class LabelledCrops:
    """Crops in memory, ready for training.

    images: uint8 (n, h, w); masks: bool (n, h, w); depth: float32 (n,) in feet.
    soft: uint8 (n, h, w), 255 times the probabilities to learn in place of the masks, or None.
    """

    images: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.bool_]
    depth: npt.NDArray[np.float32]
    soft: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        """Return the number of crops."""
        return len(self.images)

    @property
    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """Everything that a training learns from."""
        target = self.masks if self.soft is None else self.soft
        return self.images, target, self.depth

    def targets(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """Return what is learned of some crops, uint8 (rows, h, w): 255 is salt, 0 is none."""
        if self.soft is not None:
            return self.soft[rows]
        return np.uint8(255) * self.masks[rows]


def pool(*parts: LabelledCrops) -> LabelledCrops:
    """Return the crops of all `parts`, with probabilities to learn where one of them has some."""
    soft = any(part.soft is not None for part in parts)
    return LabelledCrops(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.masks for part in parts]),
        np.concatenate([part.depth for part in parts]),
        np.concatenate([part.targets(np.arange(len(part))) for part in parts]) if soft else None,
    )


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


def divide_crops(
    crops: CropSet, folds: pd.DataFrame, fold: int, phases: Sequence[Phase], params: Params
) -> tuple[dict[str, LabelledCrops], LabelledCrops]:
    """Return the training crops outside of `fold` by what `phases` do with them, and those in it.

    They learn from "train". Where one watches, "watched" is kept apart from it: one of
    `training.inner_folds`, by mosaics, so that neither shows neighbours of the other. Teacher and
    members of a fold watch the same crops, as Params makes sure of: a member's pseudo-labels know
    nothing of them either.

    folds: lines with `id` and `fold`, where one watches with `coverage_class` and `mosaic` as well.
    Raises InputError where the crops are of fewer mosaics than there are inner folds, or of mosaics
    that leave one of them without a crop.
    """
    learned, held_out = training_crops(crops, folds, fold)
    if not any(phase.watches for phase in phases):
        return {"train": learned}, held_out
    outside, seed = folds[folds["fold"] != fold], stream_seed(params.base.seed, "inner", fold)
    count, field = params.training.inner_folds, "training.inner_folds"
    inner = assign_folds(outside, count, "coverage_grouped", seed, field)
    learned, watched = training_crops(crops, inner, fold=0)
    return {"train": learned, "watched": watched}, held_out


def _take(crops: CropSet, lines: pd.DataFrame) -> LabelledCrops:
    rows = lines["row"].to_numpy()
    return LabelledCrops(crops.train_images[rows], crops.train_masks[rows], depth(lines))


def pseudolabelled_crops(crops: CropSet, labels: PseudoLabels) -> LabelledCrops:
    """Return the test crops that a teacher labelled, with its masks or its probabilities."""
    rows = labels.kept["row"].to_numpy(np.int64)
    images, feet = crops.test_images[rows], depth(crops.test)[rows]
    soft = None if labels.soft is None else np.array(labels.soft)
    return LabelledCrops(images, np.array(labels.masks), feet, soft)


def survey_crops(folder: Path, phases: Sequence[Phase]) -> dict[str, LabelledCrops]:
    """Return the synthetic survey's crops by the name of the phases' `data`; none if none asks.

    folder: as ingest writes it. Raises InputError where a file is missing.
    """
    if all(phase.data != "survey" for phase in phases):
        return {}
    images, masks, feet = (load_array(folder / f"{name}.npy") for name in ARRAYS)
    return {"survey": LabelledCrops(images, masks, feet.astype(np.float32))}
