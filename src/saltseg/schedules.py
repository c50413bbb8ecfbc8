"""The plan of a training: phases, cosine cycles and epochs, and the learning rate in them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saltseg.params import Phase


@dataclass(frozen=True)
class Epoch:
    """One epoch's place in the plan."""

    number: int
    """Counted over the whole training."""
    phase: int
    cycle: int
    steps: range
    """Steps of the epoch, counted from the start of its cycle."""
    cycle_steps: int
    ends_cycle: bool


def batch_count(crops: int, batch_size: int) -> int:
    """Return how many batches of equal size, within one crop, hold every crop once."""
    return max(round(crops / batch_size), 1)


def plan_epochs(phases: Sequence[Phase], crops: Mapping[str, int], batch_size: int) -> list[Epoch]:
    """Lay out the epochs of all phases; one whose `data` has no crops is left out.

    crops: number of crops by the name of the phases' `data`.
    """
    epochs: list[Epoch] = []
    for index, phase in enumerate(phases):
        if crops[phase.data]:
            batches = batch_count(crops[phase.data], batch_size)
            epochs += _phase_epochs(phase, index, batches, len(epochs))
    return epochs


def _phase_epochs(phase: Phase, index: int, batches: int, first: int) -> list[Epoch]:
    return [
        Epoch(
            number=first + cycle * phase.epochs + position,
            phase=index,
            cycle=cycle,
            steps=range(position * batches, (position + 1) * batches),
            cycle_steps=phase.epochs * batches,
            ends_cycle=position == phase.epochs - 1,
        )
        for cycle in range(phase.cycles)
        for position in range(phase.epochs)
    ]


def expected_snapshots(phases: Sequence[Phase]) -> int:
    """Return how many snapshots a training leaves whether or not there are pseudo-labels."""
    return sum(phase.cycles for phase in phases if phase.snapshots)


def learning_rate(phase: Phase, epoch: Epoch, step: int) -> float:
    """Return the learning rate of a step of the epoch's cycle."""
    return cosine(step, epoch.cycle_steps, phase.learning_rate, phase.final_learning_rate)


def cosine(step: int, steps: int, start: float, end: float) -> float:
    """Fall from `start` to `end` over `steps` along half a cosine (Loshchilov & Hutter 2017)."""
    share = min(step / max(steps - 1, 1), 1.0)
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
