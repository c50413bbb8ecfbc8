"""The history of a training: a line for each epoch, with the score of the held-out fold."""

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from saltseg.errors import InputError
from saltseg.labelled import LabelledCrops
from saltseg.learner import Learner
from saltseg.metric import precision
from saltseg.params import Phase
from saltseg.prediction import predict_all
from saltseg.schedules import Epoch, learning_rate

Line = dict[str, Any]


def describe_epoch(
    learner: Learner, phase: Phase, epoch: Epoch, loss: float, validation: LabelledCrops
) -> Line:
    """Return the line of an epoch that has just ended, scored with `learner.evaluated`.

    loss: mean over the epoch's batches. Raises InputError where it is infinite or no number.
    """
    if not math.isfinite(loss):
        raise InputError(
            f"params.yaml: phases.{epoch.phase}.learning_rate: {phase.learning_rate} made the loss "
            f"{loss} in epoch {epoch.number}; lower it"
        )
    return {
        "epoch": epoch.number,
        "phase": epoch.phase,
        "cycle": epoch.cycle,
        "learning_rate": learning_rate(phase, epoch, epoch.steps[-1]),
        "loss": loss,
        **_validate(learner, validation),
        "snapshot": int(epoch.snapshot),
    }


def numbers(line: Line) -> dict[str, float]:
    """Return what a curve over epochs shows of a line."""
    return {name: float(value) for name, value in line.items() if name != "epoch"}


def _validate(learner: Learner, validation: LabelledCrops) -> dict[str, float]:
    """Score the held-out fold at p > 0.5, without flips."""
    probabilities = predict_all(
        learner.evaluated, validation.images, validation.depth, learner.fabric, flip=False
    )
    loss = functional.binary_cross_entropy(
        torch.from_numpy(probabilities), torch.from_numpy(validation.masks.astype(np.float32))
    )
    scores = precision(probabilities > 0.5, validation.masks)
    return {"validation_bce": float(loss), "validation_precision": float(scores.mean())}
