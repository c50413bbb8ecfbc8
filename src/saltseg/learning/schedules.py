"""The plan of a training: its phases, cycles, epochs and learning rates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from saltseg.config.phases import Last, Mixed, Phase
from saltseg.config.rate_schedules import (
    Constant,
    Cosine,
    OneCycle,
    Plateau,
    Schedule,
    Triangular2,
)

_WARM_UP = 0.25
"""Share of the steps of a one-cycle schedule in which the learning rate rises."""

_START = 25
"""Peak of a one-cycle schedule divided by its initial learning rate."""


class Score(NamedTuple):
    """The validation score of an epoch, higher is better: precision, then minus cross-entropy.

    Precision comes first whatever the losses are: it is the metric, and cross-entropy rises while a
    Lovász loss improves the masks. Cross-entropy breaks ties, as between early epochs in which the
    network finds no salt yet.
    """

    precision: float
    """At p > 0.5, mean over crops."""
    minus_bce: float
    """Minus the cross-entropy, mean over pixels."""

    @property
    def bce(self) -> float:
        """The cross-entropy."""
        return -self.minus_bce


_WORST = Score(-math.inf, -math.inf)


@dataclass(frozen=True)
class Epoch:
    """One epoch's place in the plan."""

    number: int
    """Counted over the whole plan, including epochs that a plateau may skip."""
    phase: int
    cycle: int
    steps: range
    """Steps of the epoch, counted from the start of its cycle."""
    cycle_steps: int
    ends_cycle: bool
    snapshot: bool
    """Whether the plan keeps a snapshot; those chosen by inner validation are not known yet."""


def batch_count(crops: int, batch_size: int) -> int:
    """Return how many batches, equal in size to within one crop, hold every crop once."""
    return max(round(crops / batch_size), 1)


def dealt_count(phase: Phase, crops: Mapping[str, int]) -> int:
    """Return how many crops one epoch of `phase` passes over; see plan_epochs for `crops`."""
    if isinstance(phase.data, Mixed):
        return crops["train"]
    if phase.data == "pooled":
        return crops["train"] + crops.get("pseudolabels", 0)
    return crops.get(phase.data, 0)


def drawn_count(phase: Phase, crops: Mapping[str, int], batch_size: int) -> int:
    """Return how many crops of a batch are drawn from the pseudo-labels; 0 if there are none.

    The rest of a batch comes from the training crops; an epoch is one pass over those.
    """
    if isinstance(phase.data, Mixed) and crops.get("pseudolabels", 0):
        return round(batch_size * phase.data.share)
    return 0


def plan_epochs(phases: Sequence[Phase], crops: Mapping[str, int], batch_size: int) -> list[Epoch]:
    """Lay out the epochs of all phases; a phase whose `data` has no crops is skipped.

    crops: number of crops in each set, by its name in TrainingSets.
    """
    epochs: list[Epoch] = []
    for index, phase in enumerate(phases):
        dealt = dealt_count(phase, crops)
        if dealt:
            drawn = drawn_count(phase, crops, batch_size)
            batches = batch_count(dealt, batch_size - drawn)
            epochs += _phase_epochs(phase, index, batches, len(epochs))
    return epochs


def _phase_epochs(phase: Phase, index: int, batches: int, first: int) -> list[Epoch]:
    cycles, epochs = phase.schedule.cycles, phase.schedule.epochs
    return [
        Epoch(
            number=first + cycle * epochs + position,
            phase=index,
            cycle=cycle,
            steps=range(position * batches, (position + 1) * batches),
            cycle_steps=epochs * batches,
            ends_cycle=position == epochs - 1,
            snapshot=_leaves_snapshot(phase, cycle, position),
        )
        for cycle in range(cycles)
        for position in range(epochs)
    ]


def _leaves_snapshot(phase: Phase, cycle: int, position: int) -> bool:
    if isinstance(phase.keep, Last):
        return phase.planned_epochs - (cycle * phase.schedule.epochs + position) <= phase.keep.last
    ends = position == phase.schedule.epochs - 1
    return ends and phase.keep == "cycle_ends" and not phase.uses_inner_validation


def starts_average(phase: Phase, epoch: Epoch) -> bool:
    """Return whether weight averaging restarts with an epoch; SWA's lasts a whole phase."""
    return epoch.steps.start == 0 and (epoch.cycle == 0 or phase.averaging != "swa")


def joins_average(phase: Phase, epoch: Epoch) -> bool:
    """Return whether SWA includes the weights after an epoch: where the rate is lowest."""
    return epoch.ends_cycle or isinstance(phase.schedule, Constant)


def learning_rate(schedule: Schedule, epoch: Epoch, step: int, scores: Sequence[Score]) -> float:
    """Return the learning rate of a step of the epoch's cycle.

    scores: of the earlier epochs of a plateau; other schedules ignore them.
    """
    if isinstance(schedule, Constant):
        return schedule.learning_rate
    high, low = schedule.learning_rate, schedule.final_learning_rate
    match schedule:
        case Cosine():
            return cosine(step, epoch.cycle_steps, high, low)
        case OneCycle():
            return one_cycle(step, epoch.cycle_steps, high, low)
        case Triangular2():
            return triangular2(step, epoch.cycle_steps, epoch.cycle, high, low)
        case Plateau():
            return plateau(scores, high, low, schedule.factor, schedule.patience)


def cosine(step: int, steps: int, start: float, end: float) -> float:
    """Fall from `start` to `end` over `steps` along half a cosine (Loshchilov & Hutter 2017)."""
    return _half_cosine(step / max(steps - 1, 1), start, end)


def one_cycle(step: int, steps: int, peak: float, end: float) -> float:
    """Rise to `peak` in the first quarter of `steps`, then fall to `end`, along half a cosine each.

    Source: Smith 2018 with fastai's proportions; the rise starts at a 25th of the peak. Unlike
    there, the momentum is constant.
    """
    share = step / max(steps - 1, 1)
    if share < _WARM_UP:
        return _half_cosine(share / _WARM_UP, peak / _START, peak)
    return _half_cosine((share - _WARM_UP) / (1 - _WARM_UP), peak, end)


def triangular2(step: int, steps: int, cycle: int, high: float, low: float) -> float:
    """Rise linearly from `low` in the first half of `steps`, then fall back.

    The triangle of cycle 0 reaches `high`; each later one is half as high above `low`.
    Source: Smith 2017; half of `steps` is his step size.
    """
    height = (high - low) / 2**cycle
    return low + height * (1 - abs(2 * step / steps - 1))


def plateau(
    scores: Sequence[Score], start: float, least: float, factor: float, patience: int
) -> float:
    """Return the learning rate after epochs with `scores`.

    It starts at `start` and is multiplied by `factor`, but never falls below `least`, whenever
    `patience` epochs have passed without improvement since the best one or the last reduction.
    Source: ReduceLROnPlateau of Keras.
    """
    rate, best, waited = start, _WORST, 0
    for score in scores:
        waited = 0 if score > best else waited + 1
        best = max(best, score)
        if waited == patience:
            rate, waited = max(rate * factor, least), 0
    return rate


def best_epochs(scores: Sequence[Score], count: int) -> list[int]:
    """Return the positions in `scores` of the `count` epochs to keep, in order.

    They are the most recent epochs that beat all earlier ones. If there are fewer than `count`,
    the best of the others fill the gap, so that the number of snapshots is known in advance.
    An epoch that is not kept now never will be, so its weights can be dropped.
    Source: the 28th place's last best snapshots.
    """
    before = accumulate(scores, max, initial=_WORST)
    better = [at for at, best in zip(range(len(scores)), before, strict=False) if scores[at] > best]
    others = sorted(set(range(len(scores))) - {*better}, key=lambda at: (scores[at], at))
    return sorted([*others, *better][-count:])


def is_over(phase: Phase, scores: Sequence[Score]) -> bool:
    """Return whether a phase ends after epochs with `scores`; a plateau may end early.

    Source: EarlyStopping of Keras, with the best weights restored.
    """
    if len(scores) == phase.planned_epochs:
        return True
    if not scores or not isinstance(phase.schedule, Plateau):
        return False
    return len(scores) - 1 - scores.index(max(scores)) >= phase.schedule.stop_patience


def is_scored(epoch: Epoch, every: int) -> bool:
    """Return whether the held-out fold is scored after an epoch: each `every`, and ends of cycles.

    A plateau that ends early is scored too; only its scores tell that it does.
    """
    return epoch.ends_cycle or (epoch.number + 1) % every == 0


def _half_cosine(share: float, start: float, end: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
