"""The training of one network: phases of cycles, and the snapshots that they leave."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import nn

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.params import Phase, Runtime, Training
from saltseg.learning.batches import AugmentedBatches, Batch, load_batches
from saltseg.learning.checkpoint import State, state_key
from saltseg.learning.history import Line, check_loss, describe_epoch, numbers, score
from saltseg.learning.learner import Learner
from saltseg.learning.losses import create_loss
from saltseg.learning.schedules import (
    Epoch,
    Score,
    best_epochs,
    drawn_count,
    is_over,
    learning_rate,
    plan_epochs,
    starts_average,
)
from saltseg.learning.training_sets import LabelledCrops, pool
from saltseg.models import create_model
from saltseg.models.devices import create_fabric, device_name
from saltseg.models.snapshots import Weights
from saltseg.plumbing.progress import progress
from saltseg.plumbing.seeds import stream_seed

History = list[Line]
Report = Callable[[Mapping[str, float], int], None]


@dataclass(frozen=True)
class Task:
    """Everything that determines the weights of a trained network, but for its crops."""

    definition: ModelDefinition
    training: Training
    section: str
    """Section of params.yaml that the phases stand in."""
    phases: Sequence[Phase]
    seed: int


@dataclass(frozen=True)
class Place:
    """Where a training runs; none of it changes the result on one machine."""

    runtime: Runtime
    weights: Path
    """Folder of files of pretrained weights."""
    states: Path
    """Folder of the states of interrupted trainings."""
    name: str
    """What the progress calls this training."""


@dataclass
class Trained:
    """What a training leaves."""

    state: Path
    """Folder of the state after the last epoch; to be dropped once the rest is saved."""
    snapshots: list[Weights] = field(default_factory=list)
    """Weights on the CPU, in the order in which they were made."""
    history: History = field(default_factory=list)
    """A line for each epoch."""


def train(
    task: Task,
    crops: Mapping[str, LabelledCrops],
    validation: LabelledCrops,
    place: Place,
    report: Report,
) -> Trained:
    """Train a network, or go on where an interrupted training of the same task stopped.

    crops: by the name of the phases' `data`; a phase whose crops are empty is left out. "watched":
        those that a plateau or `keep_best` watches, kept apart from all others.
    validation: the held-out fold, for the history only: nothing is chosen by it.
    report: called with each epoch's numbers, those before an interruption included; whether it is
        one of the best that are kept is known so far, and in the history in the end.
    """
    fabric = create_fabric(place.runtime)
    network = create_model(task.definition, stream_seed(task.seed, "weights"), place.weights)
    network = network.to(memory_format=torch.channels_last)
    learner = Learner(network, task.training.optimizer, fabric)
    key = _key(task, network, crops, validation, fabric)
    state = State(place.states / key, place.runtime.save_seconds)
    plan = plan_epochs(
        task.phases, {name: len(part) for name, part in crops.items()}, task.training.batch_size
    )
    with state.owned():
        course = _Course(learner, state, task, crops)
        course.resume(plan, place.name)
        for line in course.history:
            report(numbers(line), line["epoch"])
        batches = _stream(course, plan, place)
        for epoch in filter(course.wants, plan):
            course.run_epoch(epoch, batches)
            line = course.end_epoch(epoch, validation, _repeat(task, crops, epoch, place))
            report(numbers(line), epoch.number)
            course.save(last=not any(map(course.wants, plan)))
        next(batches, None)  # the progress tells of the end when the stream ends
    return Trained(state.folder, [*course.snapshots.values()], course.history)


def _key(
    task: Task,
    network: nn.Module,
    crops: Mapping[str, LabelledCrops],
    validation: LabelledCrops,
    fabric: Fabric,
) -> str:
    """Name the state by everything that determines the training, the first weights among it."""
    sets = [*crops.values(), validation]
    weights = [tensor.cpu().numpy() for tensor in network.state_dict().values()]
    return state_key(
        texts=[repr(task), device_name(fabric), str(fabric.strategy.precision.precision), *crops],
        arrays=weights + [array for part in sets for array in part.arrays],
    )


def _stream(course: "_Course", plan: Sequence[Epoch], place: Place) -> Iterator[Batch]:
    """Yield the batches of the epochs that `course` wants, and show the progress.

    The total is that of the whole plan, of which a plateau may leave epochs out.
    """
    epochs = [epoch for epoch in plan if course.wants(epoch)]
    total = sum(len(epoch.steps) for epoch in epochs) - len(course.losses)
    return iter(progress(_flow(course, epochs, place), place.name, total))


def _flow(course: "_Course", epochs: Sequence[Epoch], place: Place) -> Iterator[Batch]:
    done = len(course.losses)
    for phase, group in groupby(epochs, lambda epoch: epoch.phase):
        of_phase = list(group)
        batches = _batches(course.task, course.crops, phase)
        span = range(of_phase[0].number, of_phase[-1].number + 1)
        pinned = course.learner.fabric.device.type == "cuda"
        loaded = load_batches(batches, span, place.runtime.workers, done, pinned)
        for epoch in of_phase:
            if course.wants(epoch):
                yield from islice(loaded, batches.count - done)
                done = 0


def _repeat(
    task: Task, crops: Mapping[str, LabelledCrops], epoch: Epoch, place: Place
) -> Iterator[Batch]:
    """Yield the batches of one epoch once more."""
    span = range(epoch.number, epoch.number + 1)
    yield from load_batches(_batches(task, crops, epoch.phase), span, place.runtime.workers)


def _batches(task: Task, crops: Mapping[str, LabelledCrops], index: int) -> AugmentedBatches:
    phase, size, preset = task.phases[index], task.training.batch_size, task.training.augmentation
    if phase.data == "pooled":
        both = pool(crops["train"], crops["pseudolabels"])
        return AugmentedBatches(both, size, preset, task.seed)
    if phase.data != "mixed":
        return AugmentedBatches(crops[phase.data], size, preset, task.seed)
    others = crops["pseudolabels"]
    drawn = drawn_count(phase, len(others), size)
    return AugmentedBatches(crops["train"], size, preset, task.seed, others, drawn)


def _worth(line: Line) -> Score:
    return line["watched_score"], -line["watched_bce"]


class _Course:
    """How far a training has come, and the ways in which it gets further."""

    def __init__(
        self, learner: Learner, state: State, task: Task, crops: Mapping[str, LabelledCrops]
    ) -> None:
        self.learner = learner
        self.state = state
        self.task = task
        self.crops = crops
        self.history: History = []
        self.snapshots: dict[int, Weights] = {}
        """By the number of the epoch; of a phase that watches, what it keeps so far."""
        self.losses: list[torch.Tensor] = []
        """Of the batches so far of the epoch under way; their number is the place in it."""

    def wants(self, epoch: Epoch) -> bool:
        """Tell whether an epoch of the plan is still to be done."""
        done = bool(self.history) and epoch.number <= self.history[-1]["epoch"]
        return not done and not is_over(self.task.phases[epoch.phase], self._scores(epoch.phase))

    def _scores(self, phase: int) -> list[Score]:
        """Return the scores of the watched crops after each epoch of a phase; else nothing."""
        lines = [line for line in self.history if line["phase"] == phase]
        return [_worth(line) for line in lines if "watched_bce" in line]

    def run_epoch(self, epoch: Epoch, batches: Iterator[Batch]) -> None:
        """Take the steps of one epoch, or those that are left of it."""
        phase = self.task.phases[epoch.phase]
        loss_function = create_loss(phase.loss)
        if not self.losses:
            if starts_average(phase, epoch):
                self.learner.start_average(phase)
            self.learner.seed(stream_seed(self.task.seed, "dropout", epoch.number))
        self.learner.model.train()
        scores = self._scores(epoch.phase)
        for step in epoch.steps[len(self.losses) :]:
            rate = learning_rate(phase, epoch, step, scores)
            self.losses.append(self.learner.step(next(batches), loss_function, rate))
            if step != epoch.steps[-1]:
                self.save()

    def end_epoch(self, epoch: Epoch, validation: LabelledCrops, batches: Iterator[Batch]) -> Line:
        """Add the epoch's line to the history, and its snapshot where it leaves one.

        batches: those of the epoch once more; taken only where an average needs them.
        """
        phase = self.task.phases[epoch.phase]
        loss = float(torch.stack(self.losses).mean())
        check_loss(loss, self.task.section, phase, epoch)
        rate = learning_rate(phase, epoch, epoch.steps[-1], self._scores(epoch.phase))
        averaged = epoch.ends_cycle or phase.constant
        self.learner.end_epoch(averaged, batches if epoch.snapshot else None)
        watched = self._watch(epoch) if phase.watches else {}
        line = describe_epoch(self.learner, epoch, rate, loss, validation) | watched
        self.history.append(line)
        self.losses = []
        if epoch.snapshot:
            self.snapshots[epoch.number] = self.learner.copy_weights()
        return line

    def _watch(self, epoch: Epoch) -> Line:
        """Score the watched crops, and keep the best epochs' weights by what they say."""
        phase = self.task.phases[epoch.phase]
        bce, precision = score(self.learner, self.crops["watched"])
        line = {"watched_bce": bce, "watched_score": precision}
        scores = [*self._scores(epoch.phase), _worth(line)]
        first = epoch.number + 1 - len(scores)
        self._keep(epoch, first, {first + at for at in best_epochs(scores, phase.keep_best or 1)})
        ends = phase.schedule == "plateau" and is_over(phase, scores)
        if ends:
            self._end_plateau(phase, best=first + scores.index(max(scores)))
        kept = epoch.number in self.snapshots if phase.keep_best else ends and phase.snapshots
        return {**line, "snapshot": int(kept)}

    def _keep(self, epoch: Epoch, first: int, kept: Set[int]) -> None:
        """Keep the weights of the epochs `kept`, and of no others of the phase from `first` on."""
        held = self.snapshots.items()
        self.snapshots = {at: weights for at, weights in held if at < first or at in kept}
        if epoch.number in kept:
            self.snapshots[epoch.number] = self.learner.copy_weights()
        if self.task.phases[epoch.phase].keep_best:
            for line in self.history:
                if line["epoch"] >= first:
                    line["snapshot"] = int(line["epoch"] in kept)

    def _end_plateau(self, phase: Phase, best: int) -> None:
        """Go back to the best epoch's weights, which are a snapshot only if the phase keeps any."""
        self.learner.go_back(self.snapshots[best])
        if not phase.snapshots:
            del self.snapshots[best]

    def save(self, last: bool = False) -> None:
        """Save the state if it is time, or if this was the last that there is to save."""
        if last or self.state.due():
            losses = torch.stack(self.losses).cpu() if self.losses else torch.empty(0)
            content = {"history": self.history, "losses": losses, **self.learner.state()}
            self.state.save(content, self.snapshots)

    def resume(self, plan: Sequence[Epoch], name: str) -> None:
        """Load the state of an interrupted training, if there is one."""
        loaded = self.state.load()
        if loaded:
            content, self.snapshots = loaded
            self.history = content["history"]
            self.losses = list(content["losses"].to(self.learner.fabric.device))
            self.learner.restore(content)
            epoch = next((each.number for each in plan if self.wants(each)), len(plan))
            place = f"epoch {epoch}, batch {len(self.losses)}"
            print(f"saltseg: {name}: going on at {place}", file=sys.stderr)
