"""The teachers of one fold: trained without the fold, they label the test crops in rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.params import Params
from saltseg.config.schema import Fold
from saltseg.crops.crop_set import CropSet, depth, require_depths
from saltseg.inference.predictor import snapshot_predictor
from saltseg.learning.checkpoint import drop_checkpoint
from saltseg.learning.fold_training import train_without
from saltseg.learning.training import Report, Task, Trained
from saltseg.learning.training_sets import Sources
from saltseg.models.snapshots import Weights, save_weights
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels, no_pseudolabels, select


@dataclass(frozen=True)
class TeacherResult:
    """The outcome of training the teachers of a fold."""

    labels: PseudoLabels
    """Pseudo-labels of the last round."""
    weights: Weights
    """The last snapshot of the last round's teacher."""
    checkpoints: list[Path]
    """Checkpoint folders of all rounds."""

    def save_weights(self, path: Path) -> None:
        """Save the weights, for members that start from them."""
        save_weights(path, self.weights)

    def drop_checkpoints(self) -> None:
        """Remove the checkpoints; call it once the labels are saved."""
        for checkpoint in self.checkpoints:
            drop_checkpoint(checkpoint)


def label_test(fold: Fold, sources: Sources, table: pd.DataFrame, report: Report) -> TeacherResult:
    """Train the teachers round by round; each selects pseudo-labels for the next.

    All teachers learn from all folds but `fold`, and from labels of earlier rounds of the same
    fold. So their labels leak nothing of the fold to the members trained without it.
    table: the test crops' lines with `id`, `row` and `black`, in the order of the images.
    Raises InputError if the teacher reads depths and some test crops have none.
    """
    crops, params = sources.crops, sources.params
    require_depths(crops.table, {(name := params.pseudolabel.teacher): params.models[name]})
    labels = no_pseudolabels()
    choice = stream_seed(params.base.seed, "pseudolabel", fold)
    checkpoints: list[Path] = []
    epochs = 0
    for number in range(params.pseudolabel.rounds):
        trained = train_teacher(fold, number, sources, labels, _shifted(report, epochs))
        probabilities = predict_test(crops, trained.snapshots, params, _name(fold, number))
        labels = select(table, probabilities, params.pseudolabel, choice)
        epochs += trained.history[-1].epoch + 1
        checkpoints.append(trained.checkpoint)
    return TeacherResult(labels, trained.snapshots[-1], checkpoints)


def train_teacher(
    fold: Fold, number: int, sources: Sources, labels: PseudoLabels, report: Report
) -> Trained:
    """Train the teacher of round `number` (from 0) on all folds but `fold`.

    labels: those of the previous round, also made without the fold; empty in the first.
    """
    params, settings = sources.params, sources.params.pseudolabel
    rounds = range(1, number + 1)
    seed = stream_seed(params.base.seed, "teacher", settings.teacher, fold, *rounds)
    definition = params.models[settings.teacher]
    task = Task(definition, params.training, "pseudolabel", settings.phases, seed)
    return train_without(fold, task, _name(fold, number), sources, labels, report)


def predict_test(
    crops: CropSet, snapshots: Sequence[Weights], params: Params, name: str
) -> npt.NDArray[np.float32]:
    """Return the test crops' flip-averaged probabilities, mean over snapshots, float32 (n, h, w).

    name: the teacher's name in the progress bar.
    """
    definition = params.models[params.pseudolabel.teacher]
    predict = snapshot_predictor(definition, snapshots, 1.0, params.runtime, flip=True)
    return predict(crops.test_images, depth(crops.test), name=f"{name} predicts")


def _shifted(report: Report, epochs: int) -> Report:
    """Return a report that adds the `epochs` of earlier rounds to the epoch number."""
    return lambda values, epoch: report(values, epochs + epoch)


def _name(fold: Fold, number: int) -> str:
    return f"teacher of fold {fold}" + (f", round {number + 1}" if number else "")
