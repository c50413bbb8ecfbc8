"""The teachers of one fold: they learn without the fold and label the test crops, in rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.params import Params
from saltseg.crops.crop_set import CropSet, depth, require_depths
from saltseg.inference.predictor import snapshot_predictor
from saltseg.learning.fold_training import train_without
from saltseg.learning.training import Report, Task, Trained
from saltseg.learning.training_sets import Sources
from saltseg.models.snapshots import Weights
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels, no_pseudolabels, select


@dataclass(frozen=True)
class Taught:
    """What the teachers of a fold leave."""

    labels: PseudoLabels
    """Those of the last round."""
    checkpoints: list[Path]
    """Folders of the checkpoints of all rounds; to be dropped once the labels are saved."""


def label_test(fold: int, sources: Sources, table: pd.DataFrame, report: Report) -> Taught:
    """Train the teachers round by round, and let each choose pseudo-labels.

    All teachers learn from all folds but `fold`, so that a member of that fold, which learns from
    their labels, knows nothing of the fold; nor do labels of earlier rounds, of the same fold.
    table: the test crops' lines with `id`, `row` and `black`, in the order of the images.
    Raises InputError where the teacher reads depths that test crops lack.
    """
    crops, params = sources.crops, sources.params
    require_depths(crops.table, {(name := params.pseudolabel.teacher): params.models[name]})
    labels = no_pseudolabels()
    choice = stream_seed(params.base.seed, "pseudolabel", fold)
    checkpoints: list[Path] = []
    epochs = 0
    for number in range(params.pseudolabel.rounds):
        trained = train_teacher(fold, number, sources, labels, _counting_on(report, epochs))
        probabilities = predict_test(crops, trained.snapshots, params, _name(fold, number))
        labels = select(table, probabilities, params.pseudolabel, choice)
        epochs += trained.history[-1].epoch + 1
        checkpoints.append(trained.checkpoint)
    return Taught(labels, checkpoints)


def train_teacher(
    fold: int, number: int, sources: Sources, labels: PseudoLabels, report: Report
) -> Trained:
    """Train the teacher of round `number` (0 is the first) on all folds but `fold`.

    labels: those of the round before, without the fold too; none in the first.
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

    name: what the progress calls the teacher.
    """
    definition = params.models[params.pseudolabel.teacher]
    predict = snapshot_predictor(definition, snapshots, 1.0, params.runtime, flip=True)
    return predict(crops.test_images, depth(crops.test), name=f"{name} predicts")


def _counting_on(report: Report, epochs: int) -> Report:
    """Return a report that counts a round's epochs from those of the rounds before."""
    return lambda values, epoch: report(values, epochs + epoch)


def _name(fold: int, number: int) -> str:
    return f"teacher of fold {fold}" + (f", round {number + 1}" if number else "")
