"""A member of the ensemble without one fold: it learns from all the others."""

from saltseg.config.params import Params
from saltseg.config.phases import choice_name
from saltseg.crops.crop_set import require_depths
from saltseg.learning.fold_training import train_without
from saltseg.learning.training import Report, Task, Trained
from saltseg.learning.training_sets import Sources
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels


def check_member(member: str, params: Params, layout: Layout) -> None:
    """Raise InputError where params.yaml defines no such member."""
    if member not in params.models:
        raise InputError(f"{layout.params}: models: no {member!r}; name one of {[*params.models]}")


def train_member(
    member: str, fold: int, sources: Sources, labels: PseudoLabels, report: Report
) -> Trained:
    """Train `member` on all folds but `fold` and on the pseudo-labels of the same fold.

    Raises InputError where a phase is to keep snapshots, but has no pseudo-labels to learn from,
    and where the member reads depths that test crops lack.
    """
    params = sources.params
    require_depths(sources.crops.table, {member: params.models[member]})
    _check_snapshots(fold, labels, params, sources.layout)
    phases = params.train_per_fold.phases
    seed = stream_seed(params.base.seed, "train", member, fold)
    task = Task(params.models[member], params.training, "train_per_fold", phases, seed)
    return train_without(fold, task, f"{member}, fold {fold}", sources, labels, report)


def _check_snapshots(fold: int, labels: PseudoLabels, params: Params, layout: Layout) -> None:
    """Refuse a training that would leave fewer snapshots than the ensemble asks for."""
    for index, phase in enumerate(params.train_per_fold.phases):
        if phase.data == "pseudolabels" and phase.keeps and not len(labels.kept):
            raise InputError(
                f"{layout.params}: train_per_fold.phases.{index}.keep: {choice_name(phase.keep)}, "
                f"but fold {fold} has no pseudo-labels, so that the phase is left out and keeps "
                "none; set it to none"
            )
