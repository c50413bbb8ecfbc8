"""The sets of labelled crops that one network learns from and is scored on, without one fold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.params import Params
from saltseg.config.phases import Phase
from saltseg.crops.crop_set import CropSet, depth, load_array
from saltseg.crops.folds import assign_folds
from saltseg.plumbing.layout import Layout
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


@dataclass(frozen=True)
class TrainingSets:
    """What one network learns from, and what it is scored on; None where no phase needs a set."""

    train: LabelledCrops
    """Training crops of the other folds."""
    held_out: LabelledCrops
    """Those of the fold itself; scored for the history, and nothing is chosen by them."""
    watched: LabelledCrops | None = None
    """Kept apart from `train`, for a plateau and `keep: {best: N}` to decide by."""
    pseudolabels: LabelledCrops | None = None
    """Test crops that a teacher labelled."""
    survey: LabelledCrops | None = None
    """Crops of the synthetic survey."""

    @property
    def named(self) -> dict[str, LabelledCrops]:
        """The sets that there are, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def sizes(self) -> dict[str, int]:
        """How many crops each set has."""
        return {name: len(crops) for name, crops in self.named.items()}


@dataclass(frozen=True)
class Sources:
    """What the training sets of any fold are made from."""

    params: Params
    layout: Layout
    crops: CropSet
    folds: pd.DataFrame
    """Lines with `id` and `fold`; with `coverage_class` and `mosaic` where a phase watches."""


def sets_without(
    fold: int, phases: Sequence[Phase], sources: Sources, labels: PseudoLabels
) -> TrainingSets:
    """Return what `phases` learn from and are scored on, none of it of `fold` but `held_out`.

    Where a phase watches, one of `training.inner_folds` is kept apart from the training crops, in
    whole mosaics, so that neither shows neighbours of the other. Teacher and members of a fold
    watch the same crops, as Params makes sure of: a member's pseudo-labels know nothing of them.

    labels: of teachers that never saw `fold` either.
    Raises InputError where the crops are of fewer mosaics than there are inner folds, or of mosaics
    that leave one of them without a crop, or where the survey's crops are missing.
    """
    train, held_out = split_by_fold(sources.crops, sources.folds, fold)
    watched = None
    if any(phase.watches for phase in phases):
        inner = _inner_folds(fold, sources)
        train, watched = split_by_fold(sources.crops, inner, fold=0)
    pseudolabels = pseudolabelled_crops(sources.crops, labels)
    survey = survey_crops(sources.layout.pretraining, phases)
    return TrainingSets(train, held_out, watched, pseudolabels, survey)


def split_by_fold(
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


def _inner_folds(fold: int, sources: Sources) -> pd.DataFrame:
    """Divide the crops outside of `fold` once more; see assign_folds for the errors."""
    outside = sources.folds[sources.folds["fold"] != fold]
    seed = stream_seed(sources.params.base.seed, "inner", fold)
    count = sources.params.training.inner_folds
    return assign_folds(outside, count, "coverage_grouped", seed, "training.inner_folds")


def _take(crops: CropSet, lines: pd.DataFrame) -> LabelledCrops:
    rows = lines["row"].to_numpy()
    return LabelledCrops(crops.train_images[rows], crops.train_masks[rows], depth(lines))


def pseudolabelled_crops(crops: CropSet, labels: PseudoLabels) -> LabelledCrops:
    """Return the test crops that a teacher labelled, with its masks or its probabilities."""
    rows = labels.kept["row"].to_numpy(np.int64)
    images, feet = crops.test_images[rows], depth(crops.test)[rows]
    soft = None if labels.soft is None else np.array(labels.soft)
    return LabelledCrops(images, np.array(labels.masks), feet, soft)


def survey_crops(folder: Path, phases: Sequence[Phase]) -> LabelledCrops | None:
    """Return the synthetic survey's crops; None where no phase learns from them.

    folder: as ingest writes it. Raises InputError where a file is missing.
    """
    if all(phase.data != "survey" for phase in phases):
        return None
    images, masks, feet = (load_array(folder / f"{name}.npy") for name in ARRAYS)
    return LabelledCrops(images, masks, feet.astype(np.float32))
