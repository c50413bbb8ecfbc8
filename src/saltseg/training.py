"""The training of one network: phases of cycles, and the snapshots that they leave."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import nn

from saltseg.batches import AugmentedBatches, Batch, load_batches
from saltseg.definitions import ModelDefinition
from saltseg.devices import create_fabric, device_name
from saltseg.history import Line, describe_epoch, numbers
from saltseg.labelled import LabelledCrops
from saltseg.learner import Learner
from saltseg.losses import create_loss
from saltseg.models import create_model
from saltseg.params import Phase, Runtime, Training
from saltseg.progress import progress
from saltseg.schedules import Epoch, learning_rate, plan_epochs
from saltseg.seeds import stream_seed
from saltseg.snapshots import Weights
from saltseg.states import State, state_key

History = list[Line]
Report = Callable[[Mapping[str, float], int], None]


@dataclass(frozen=True)
class Task:
    """Everything that determines the weights of a trained network, but for its crops."""

    definition: ModelDefinition
    training: Training
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

    crops: by the name of the phases' `data`; a phase whose crops are empty is left out.
    validation: the held-out fold, for the history only: nothing is chosen by it.
    report: called with each epoch's numbers, those before an interruption included.
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
        course = _Course(learner, state, task)
        course.resume(place.name)
        for line in course.history:
            report(numbers(line), line["epoch"])
        epochs = plan[len(course.history) :]
        batches = _stream(task, crops, epochs, len(course.losses), place)
        for epoch in epochs:
            course.run_epoch(epoch, batches)
            line = course.end_epoch(epoch, validation, _repeat(task, crops, epoch, place))
            report(numbers(line), epoch.number)
            course.save(last=epoch is epochs[-1])
    return Trained(state.folder, course.snapshots, course.history)


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
        arrays=weights
        + [array for part in sets for array in (part.images, part.masks, part.depth)],
    )


def _stream(
    task: Task,
    crops: Mapping[str, LabelledCrops],
    epochs: Sequence[Epoch],
    done: int,
    place: Place,
) -> Iterator[Batch]:
    """Yield the batches of all epochs, phase after phase, and show the progress.

    done: how many batches of the first epoch are left out.
    """
    parts: list[tuple[AugmentedBatches, range, int]] = []
    for index in dict.fromkeys(epoch.phase for epoch in epochs):
        of_phase = [epoch.number for epoch in epochs if epoch.phase == index]
        span = range(of_phase[0], of_phase[-1] + 1)
        parts.append((_batches(task, crops, index), span, 0 if parts else done))
    flow = (
        batch
        for batches, span, left_out in parts
        for batch in load_batches(batches, span, place.runtime.workers, left_out)
    )
    total = sum(batches.count * len(span) for batches, span, _ in parts) - done
    return iter(progress(flow, place.name, total))


def _repeat(
    task: Task, crops: Mapping[str, LabelledCrops], epoch: Epoch, place: Place
) -> Iterator[Batch]:
    """Yield the batches of one epoch once more."""
    span = range(epoch.number, epoch.number + 1)
    yield from load_batches(_batches(task, crops, epoch.phase), span, place.runtime.workers)


def _batches(task: Task, crops: Mapping[str, LabelledCrops], phase: int) -> AugmentedBatches:
    return AugmentedBatches(
        crops[task.phases[phase].data],
        task.training.batch_size,
        task.training.augmentation,
        task.seed,
    )


class _Course:
    """How far a training has come, and the ways in which it gets further."""

    def __init__(self, learner: Learner, state: State, task: Task) -> None:
        self.learner = learner
        self.state = state
        self.task = task
        self.history: History = []
        self.snapshots: list[Weights] = []
        self.losses: list[torch.Tensor] = []
        """Of the batches so far of the epoch under way; their number is the place in it."""

    def run_epoch(self, epoch: Epoch, batches: Iterator[Batch]) -> None:
        """Take the steps of one epoch, or those that are left of it."""
        phase = self.task.phases[epoch.phase]
        loss_function = create_loss(phase.loss)
        if not self.losses:
            if epoch.steps.start == 0:
                self.learner.start_average(phase)
            self.learner.seed(stream_seed(self.task.seed, "dropout", epoch.number))
        self.learner.model.train()
        for step in epoch.steps[len(self.losses) :]:
            rate = learning_rate(phase, epoch, step)
            self.losses.append(self.learner.step(next(batches), loss_function, rate))
            if step != epoch.steps[-1]:
                self.save()

    def end_epoch(self, epoch: Epoch, validation: LabelledCrops, batches: Iterator[Batch]) -> Line:
        """Add the epoch's line to the history, and its snapshot where it leaves one.

        batches: those of the epoch once more; taken only where an average needs them.
        """
        self.learner.end_epoch(batches if epoch.snapshot else None)
        loss = float(torch.stack(self.losses).mean())
        phase = self.task.phases[epoch.phase]
        line = describe_epoch(self.learner, phase, epoch, loss, validation)
        self.history.append(line)
        self.losses = []
        if line["snapshot"]:
            self.snapshots.append(self.learner.copy_weights())
        return line

    def save(self, last: bool = False) -> None:
        """Save the state if it is time, or if this was the last that there is to save."""
        if last or self.state.due():
            losses = torch.stack(self.losses).cpu() if self.losses else torch.empty(0)
            content = {"history": self.history, "losses": losses, **self.learner.state()}
            self.state.save(content, self.snapshots)

    def resume(self, name: str) -> None:
        """Load the state of an interrupted training, if there is one."""
        loaded = self.state.load()
        if loaded:
            content, self.snapshots = loaded
            self.history = content["history"]
            self.losses = list(content["losses"].to(self.learner.fabric.device))
            self.learner.restore(content)
            place = f"epoch {len(self.history)}, batch {len(self.losses)}"
            print(f"saltseg: {name}: going on at {place}", file=sys.stderr)
