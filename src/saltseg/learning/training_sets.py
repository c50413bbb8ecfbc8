"""The labelled crops that a network is trained and scored on, with one fold held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.params import Params
from saltseg.config.phases import Phase
from saltseg.config.schema import Fold
from saltseg.crops.coverage import mask_kinds
from saltseg.crops.crop_set import CropSet, depth, load_array, load_crops, load_table
from saltseg.crops.folds import assign_folds
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels

ARRAYS = ("images", "masks", "depth")
"""File names of the pretraining crops."""


@dataclass(frozen=True)
class LabelledCrops:
    """Crops in memory, ready for training.

    images: uint8 (n, h, w); masks: bool (n, h, w); depth: float32 (n,) in feet.
    soft: uint8 (n, h, w), 255 times the probabilities to learn instead of the masks, or None.
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
        """Everything that training reads."""
        target = self.masks if self.soft is None else self.soft
        return self.images, target, self.depth

    def targets(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """Return the targets of some crops, uint8 (rows, h, w): 255 is salt, 0 is background."""
        if self.soft is not None:
            return self.soft[rows]
        return np.uint8(255) * self.masks[rows]


def pool(*parts: LabelledCrops) -> LabelledCrops:
    """Concatenate `parts`, with soft targets if any of them has some."""
    soft = any(part.soft is not None for part in parts)
    return LabelledCrops(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.masks for part in parts]),
        np.concatenate([part.depth for part in parts]),
        np.concatenate([part.targets(np.arange(len(part))) for part in parts]) if soft else None,
    )


@dataclass(frozen=True)
class TrainingSets:
    """What a network is trained and scored on; a set that no phase needs is None."""

    train: LabelledCrops
    """Training crops of the other folds."""
    held_out: LabelledCrops
    """Training crops of the held-out fold; scored for the history, never used for a choice."""
    inner_validation: LabelledCrops | None = None
    """Split off from `train`, for plateaus and `keep: {best: N}` to decide by."""
    pseudolabels: LabelledCrops | None = None
    """Test crops labelled by a teacher."""
    survey: LabelledCrops | None = None
    """Crops of the synthetic survey."""

    @property
    def named(self) -> dict[str, LabelledCrops]:
        """The sets that are not None, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def sizes(self) -> dict[str, int]:
        """Number of crops in each set."""
        return {name: len(crops) for name, crops in self.named.items()}


@dataclass(frozen=True)
class Sources:
    """What the training sets of every fold are made from."""

    params: Params
    layout: Layout
    crops: CropSet
    folds: pd.DataFrame
    """Lines with `id` and `fold`, plus `coverage_class` and `mosaic` for inner validation."""

    @classmethod
    def load(cls, params: Params, layout: Layout) -> Self:
        """Load what ingest and fold-split left. Raises InputError if a file is missing."""
        folds = load_table(layout.data("fold-split") / "folds.parquet")
        return cls(params, layout, load_crops(layout.data("ingest")), folds)


def sets_without(
    fold: Fold, phases: Sequence[Phase], sources: Sources, labels: PseudoLabels
) -> TrainingSets:
    """Return the sets that `phases` need; only `held_out` holds crops of `fold`, none for ALL.

    If a phase uses inner validation, one of `training.inner_folds` is split off from the training
    crops, in whole mosaics, so that neither part holds neighbours of the other. Teachers and
    members of a fold share this split (Params checks it), so that pseudo-labels leak nothing of it.

    labels: of teachers that never saw `fold` either.
    `training.leave_out` takes crops from `train` alone: what is scored keeps all kinds.
    Raises InputError if there are fewer mosaics than inner folds, if the mosaics leave an inner
    fold empty, if every training crop is left out, or if the survey's crops are missing.
    """
    train, held_out = split_by_fold(sources.crops, sources.folds, fold)
    inner_validation = None
    if any(phase.uses_inner_validation for phase in phases):
        inner = _inner_folds(fold, sources)
        train, inner_validation = split_by_fold(sources.crops, inner, fold=0)
    train = _without_kinds(train, fold, sources.params.training.leave_out)
    pseudolabels = pseudolabelled_crops(sources.crops, labels)
    survey = survey_crops(sources.layout.pretraining, phases)
    return TrainingSets(train, held_out, inner_validation, pseudolabels, survey)


def split_by_fold(
    crops: CropSet, folds: pd.DataFrame, fold: Fold
) -> tuple[LabelledCrops, LabelledCrops]:
    """Return the training crops outside `fold`, and those in it, joined by id.

    folds: lines with `id` and `fold`.
    """
    table = crops.train.merge(folds[["id", "fold"]], on="id", validate="one_to_one")
    return (
        _take(crops, table[table["fold"] != fold]),
        _take(crops, table[table["fold"] == fold]),
    )


def _inner_folds(fold: Fold, sources: Sources) -> pd.DataFrame:
    """Split the crops outside `fold` into inner folds; see assign_folds for the errors."""
    outside = sources.folds[sources.folds["fold"] != fold]
    seed = stream_seed(sources.params.base.seed, "inner", fold)
    count = sources.params.training.inner_folds
    return assign_folds(outside, count, "coverage_grouped", seed, "training.inner_folds")


def _without_kinds(crops: LabelledCrops, fold: Fold, kinds: Sequence[str]) -> LabelledCrops:
    """Leave out the crops whose masks are of some kinds; see coverage.MASK_KINDS."""
    if not kinds:
        return crops
    kept = ~np.isin(mask_kinds(crops.masks), kinds)
    if not kept.any():
        raise InputError(
            f"params.yaml: training.leave_out: {[*kinds]} leaves no crop to learn from without "
            f"fold {fold}; take a kind out of the list"
        )
    return LabelledCrops(crops.images[kept], crops.masks[kept], crops.depth[kept])


def _take(crops: CropSet, lines: pd.DataFrame) -> LabelledCrops:
    rows = lines["row"].to_numpy()
    return LabelledCrops(crops.train_images[rows], crops.train_masks[rows], depth(lines))


def pseudolabelled_crops(crops: CropSet, labels: PseudoLabels) -> LabelledCrops:
    """Return the pseudo-labelled test crops, with the teacher's masks or probabilities."""
    rows = labels.kept["row"].to_numpy(np.int64)
    images, feet = crops.test_images[rows], depth(crops.test)[rows]
    soft = None if labels.soft is None else np.array(labels.soft)
    return LabelledCrops(images, np.array(labels.masks), feet, soft)


def survey_crops(folder: Path, phases: Sequence[Phase]) -> LabelledCrops | None:
    """Return the synthetic survey's crops; None if no phase learns from them.

    folder: as ingest writes it. Raises InputError if a file is missing.
    """
    if all(phase.data != "survey" for phase in phases):
        return None
    images, masks, feet = (load_array(folder / f"{name}.npy") for name in ARRAYS)
    return LabelledCrops(images, masks, feet.astype(np.float32))
