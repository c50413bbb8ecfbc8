"""The history of a training: a line for each epoch, with the score of the held-out fold."""

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from saltseg.config.params import Phase
from saltseg.inference.predictor import predict_all
from saltseg.learning.learner import Learner
from saltseg.learning.schedules import Epoch
from saltseg.learning.training_sets import LabelledCrops
from saltseg.plumbing.errors import InputError
from saltseg.scoring.metric import precision

Line = dict[str, Any]


def check_loss(loss: float, section: str, phase: Phase, epoch: Epoch) -> None:
    """Raise InputError where the mean over an epoch's batches is infinite or no number.

    section: of params.yaml, that the phase stands in.
    """
    if not math.isfinite(loss):
        raise InputError(
            f"params.yaml: {section}.phases.{epoch.phase}.learning_rate: {phase.learning_rate} "
            f"made the loss {loss} in epoch {epoch.number}; lower it"
        )


def describe_epoch(
    learner: Learner, epoch: Epoch, rate: float, loss: float, validation: LabelledCrops
) -> Line:
    """Return the line of an epoch that has just ended, scored with `learner.evaluated`.

    rate: learning rate of its last step; loss: mean over its batches.
    """
    validation_bce, validation_score = score(learner, validation)
    return {
        "epoch": epoch.number,
        "phase": epoch.phase,
        "cycle": epoch.cycle,
        "learning_rate": rate,
        "loss": loss,
        "validation_bce": validation_bce,
        "validation_score": validation_score,
        "snapshot": int(epoch.snapshot),
    }


def numbers(line: Line) -> dict[str, float]:
    """Return what a curve over epochs shows of a line."""
    return {name: float(value) for name, value in line.items() if name != "epoch"}


def score(learner: Learner, crops: LabelledCrops) -> tuple[float, float]:
    """Return the cross-entropy of `learner.evaluated`, and its precision at p > 0.5, no flips."""
    probabilities = predict_all(
        learner.evaluated, crops.images, crops.depth, learner.fabric, flip=False
    )
    loss = functional.binary_cross_entropy(
        torch.from_numpy(probabilities), torch.from_numpy(crops.masks.astype(np.float32))
    )
    return float(loss), float(precision(probabilities > 0.5, crops.masks).mean())
