"""The training of a teacher or a member, which is the same: on all folds but one."""

from saltseg.learning.training import Place, Report, Task, Trained, train
from saltseg.learning.training_sets import Sources, sets_without
from saltseg.selection.pseudolabels import PseudoLabels


def train_without(
    fold: int, task: Task, name: str, sources: Sources, labels: PseudoLabels, report: Report
) -> Trained:
    """Train a network on all folds but `fold`, and on `labels` of teachers that never saw it.

    name: what the progress calls the training.
    """
    runtime, layout = sources.params.runtime, sources.layout
    place = Place(runtime, layout.weights, layout.checkpoints, name)
    return train(task, sets_without(fold, task.phases, sources, labels), place, report)
