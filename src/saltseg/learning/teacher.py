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
from saltseg.learning.training import Place, Report, Task, Trained, train
from saltseg.learning.training_sets import divide_crops, pseudolabelled_crops, survey_crops
from saltseg.models.snapshots import Weights
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import stream_seed
from saltseg.selection.pseudolabels import PseudoLabels, no_pseudolabels, select


@dataclass(frozen=True)
class Taught:
    """What the teachers of a fold leave."""

    labels: PseudoLabels
    """Those of the last round."""
    states: list[Path]
    """Folders of the states of all rounds; to be dropped once the labels are saved."""


def label_test(
    crops: CropSet,
    folds: pd.DataFrame,
    fold: int,
    table: pd.DataFrame,
    params: Params,
    layout: Layout,
    report: Report,
) -> Taught:
    """Train the teachers round by round, and let each choose pseudo-labels.

    All teachers learn from all folds but `fold`, so that a member of that fold, which learns from
    their labels, knows nothing of the fold; nor do labels of earlier rounds, of the same fold.
    table: the test crops' lines with `id`, `row` and `black`, in the order of the images.
    Raises InputError where the teacher reads depths that test crops lack.
    """
    require_depths(crops.table, {(name := params.pseudolabel.teacher): params.models[name]})
    labels = no_pseudolabels()
    choice = stream_seed(params.base.seed, "pseudolabel", fold)
    states: list[Path] = []
    epochs = 0
    for number in range(params.pseudolabel.rounds):
        report_on = _counting_on(report, epochs)
        trained = train_teacher(crops, folds, fold, labels, number, params, layout, report_on)
        probabilities = predict_test(crops, trained.snapshots, params, _name(fold, number))
        labels = select(table, probabilities, params.pseudolabel, choice)
        epochs += trained.history[-1]["epoch"] + 1
        states.append(trained.state)
    return Taught(labels, states)


def train_teacher(
    crops: CropSet,
    folds: pd.DataFrame,
    fold: int,
    labels: PseudoLabels,
    number: int,
    params: Params,
    layout: Layout,
    report: Report,
) -> Trained:
    """Train the teacher of round `number` (0 is the first) on all folds but `fold`.

    labels: those of the round before, without the fold too; none in the first.
    """
    settings = params.pseudolabel
    definition = params.models[settings.teacher]
    rounds = range(1, number + 1)
    seed = stream_seed(params.base.seed, "teacher", settings.teacher, fold, *rounds)
    sets, held_out = divide_crops(crops, folds, fold, settings.phases, params)
    sets |= {"pseudolabels": pseudolabelled_crops(crops, labels)}
    return train(
        Task(definition, params.training, "pseudolabel", settings.phases, seed),
        sets | survey_crops(layout.pretraining, settings.phases),
        held_out,
        Place(params.runtime, layout.weights, layout.states, _name(fold, number)),
        report,
    )


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
