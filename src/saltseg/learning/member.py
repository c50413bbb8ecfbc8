"""Training a member of the ensemble on all folds but one."""

from saltseg.config.params import Params
from saltseg.config.phases import choice_name
from saltseg.config.schema import Fold
from saltseg.crops.crop_set import require_depths
from saltseg.learning.fold_training import train_without
from saltseg.learning.training import Report, Task, Trained
from saltseg.learning.training_sets import Sources
from saltseg.models.snapshots import Weights
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels


def check_member(member: str, params: Params, layout: Layout) -> None:
    """Raise InputError if params.yaml does not define the member."""
    if member not in params.models:
        raise InputError(f"{layout.params}: models: no {member!r}; use one of {[*params.models]}")


def train_member(
    member: str,
    fold: Fold,
    sources: Sources,
    labels: PseudoLabels,
    report: Report,
    start: Weights | None = None,
) -> Trained:
    """Train `member` on all folds but `fold` and on the pseudo-labels of the same fold.

    start: weights of the same fold's teacher to go on from; None for those of the definition.
    Raises InputError if a phase should keep snapshots but has no pseudo-labels to learn from, or
    if the member reads depths and some test crops have none.
    """
    params = sources.params
    require_depths(sources.crops.table, {member: params.models[member]})
    _check_snapshots(fold, labels, params, sources.layout)
    phases = params.train_per_fold.phases
    seed = stream_seed(params.base.seed, "train", member, fold)
    task = Task(params.models[member], params.training, "train_per_fold", phases, seed)
    return train_without(fold, task, f"{member}, fold {fold}", sources, labels, report, start)


def _check_snapshots(fold: Fold, labels: PseudoLabels, params: Params, layout: Layout) -> None:
    """Refuse a training that would leave fewer snapshots than the ensemble expects."""
    for index, phase in enumerate(params.train_per_fold.phases):
        if phase.data == "pseudolabels" and phase.keeps and not len(labels.kept):
            raise InputError(
                f"{layout.params}: train_per_fold.phases.{index}.keep: {choice_name(phase.keep)}, "
                f"but fold {fold} has no pseudo-labels, so the phase is skipped and keeps no "
                "snapshot; set it to none"
            )
