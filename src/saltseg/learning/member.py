"""A member of the ensemble without one fold: it learns from all the others."""

from collections.abc import Mapping

import pandas as pd

from saltseg.config.params import Params
from saltseg.crops.crop_set import CropSet, require_depths
from saltseg.learning.training import History, Place, Report, Task, Trained, train
from saltseg.learning.training_sets import (
    LabelledCrops,
    divide_crops,
    pseudolabelled_crops,
    survey_crops,
)
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels


def check_member(member: str, params: Params, layout: Layout) -> None:
    """Raise InputError where params.yaml defines no such member."""
    if member not in params.models:
        raise InputError(f"{layout.params}: models: no {member!r}; name one of {[*params.models]}")


def train_member(
    member: str,
    fold: int,
    crops: CropSet,
    folds: pd.DataFrame,
    labels: PseudoLabels,
    params: Params,
    layout: Layout,
    report: Report,
) -> Trained:
    """Train `member` on all folds but `fold` and on the pseudo-labels of the same fold.

    Raises InputError where a phase is to keep snapshots, but has no pseudo-labels to learn from,
    and where the member reads depths that test crops lack.
    """
    require_depths(crops.table, {member: params.models[member]})
    seed = stream_seed(params.base.seed, "train", member, fold)
    phases = params.train_per_fold.phases
    sets, held_out = divide_crops(crops, folds, fold, phases, params)
    sets["pseudolabels"] = pseudolabelled_crops(crops, labels)
    _check_snapshots(fold, sets, params, layout)
    return train(
        Task(params.models[member], params.training, "train_per_fold", phases, seed),
        sets | survey_crops(layout.pretraining, phases),
        held_out,
        Place(params.runtime, layout.weights, layout.states, f"{member}, fold {fold}"),
        report,
    )


def _check_snapshots(
    fold: int, sets: Mapping[str, LabelledCrops], params: Params, layout: Layout
) -> None:
    """Refuse a training that would leave fewer snapshots than the ensemble asks for."""
    for index, phase in enumerate(params.train_per_fold.phases):
        if phase.data == "pseudolabels" and phase.snapshots and not len(sets["pseudolabels"]):
            raise InputError(
                f"{layout.params}: train_per_fold.phases.{index}.snapshots: true, but fold {fold} "
                "has no pseudo-labels, so that the phase is left out and keeps none; set it to "
                "false"
            )


def final_numbers(history: History) -> dict[str, float]:
    """Return the last epoch's numbers; the last, not the best, which the fold would choose."""
    names = ["loss", "validation_bce", "validation_score"]
    return {"epochs": len(history), **{name: history[-1][name] for name in names}}
