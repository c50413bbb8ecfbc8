"""Training on all folds but one, shared by teachers and members."""

from saltseg.config.schema import Fold
from saltseg.learning.training import Place, Report, Task, Trained, train
from saltseg.learning.training_sets import Sources, sets_without
from saltseg.models.snapshots import Weights
from saltseg.selection.pseudolabels import PseudoLabels


def train_without(
    fold: Fold,
    task: Task,
    name: str,
    sources: Sources,
    labels: PseudoLabels,
    report: Report,
    start: Weights | None = None,
) -> Trained:
    """Train a network on all folds but `fold`, and on `labels` of teachers that never saw it.

    name: label of the progress bar. start: weights of such a teacher to go on from, or None.
    """
    runtime, layout = sources.params.runtime, sources.layout
    place = Place(runtime, layout.weights, layout.checkpoints, name)
    return train(task, sets_without(fold, task.phases, sources, labels), place, report, start)
