"""The training of one network: the loop over the epochs of its phases."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.phase_checks import phase_input
from saltseg.config.phases import Phase
from saltseg.config.sections import Runtime, Training
from saltseg.learning.batches import AugmentedBatches, EpochLoader, phase_batches
from saltseg.learning.checkpoint import Checkpoint, checkpoint_key
from saltseg.learning.history import EpochRecord, History, mark_snapshots
from saltseg.learning.learner import Learner
from saltseg.learning.losses import create_loss
from saltseg.learning.schedules import (
    Epoch,
    Score,
    is_over,
    is_scored,
    joins_average,
    learning_rate,
    plan_epochs,
    starts_average,
)
from saltseg.learning.training_sets import TrainingSets
from saltseg.learning.training_state import TrainingState
from saltseg.models import SaltNetwork, check_size, create_model
from saltseg.models.devices import create_fabric, device_name
from saltseg.models.snapshots import Weights
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.progress import counted
from saltseg.plumbing.seeds import stream_seed

Report = Callable[[Mapping[str, float], int], None]


@dataclass(frozen=True)
class Task:
    """Everything but the crops that determines the weights of a trained network."""

    definition: ModelDefinition
    training: Training
    section: str
    """Section of params.yaml that holds the phases."""
    phases: Sequence[Phase]
    seed: int


@dataclass(frozen=True)
class Place:
    """Where and how a training runs; on one machine none of it changes the result."""

    runtime: Runtime
    weights: Path
    """Folder of pretrained weight files."""
    checkpoints: Path
    """Folder of the checkpoints of all trainings."""
    name: str
    """Label of the progress bar."""


@dataclass
class Trained:
    """The outcome of a training."""

    checkpoint: Path
    """Folder of the final checkpoint, to be dropped once the rest is saved."""
    snapshots: list[Weights]
    """Weights on the CPU, oldest first."""
    history: History


def train(
    task: Task, sets: TrainingSets, place: Place, report: Report, start: Weights | None = None
) -> Trained:
    """Train a network, or resume an interrupted training of the same task.

    A phase without crops is skipped.
    start: weights of the same definition to go on from; None for those that it names.
    report: called with each epoch's metrics, including epochs before an interruption. For phases
        that keep their best epochs, `snapshot` is provisional here and final in the history.
    """
    learner = _create_learner(task, place, start)
    checkpoint = Checkpoint(
        place.checkpoints / _key(task, sets, learner), place.runtime.save_seconds
    )
    plan = plan_epochs(task.phases, sets.sizes, task.training.batch_size)
    state = TrainingState(learner, checkpoint)
    with checkpoint.owned():
        resumed = state.load()
        remaining = _remaining(task, plan, state)
        if resumed:
            _print_position(place.name, remaining[0].number if remaining else len(plan), state)
        for record in state.history:
            report(record.metrics(), record.epoch)
        train_epochs(remaining, state, task, sets, place, report)
    return Trained(checkpoint.folder, [*state.kept.snapshots.values()], state.history)


def train_epochs(
    epochs: Sequence[Epoch],
    state: TrainingState,
    task: Task,
    sets: TrainingSets,
    place: Place,
    report: Report,
) -> None:
    """Train for `epochs`: the loop. `state` may hold some steps of the first one already."""
    learner, loader = state.learner, _create_loader(epochs, state.learner, task, sets, place)
    steps = sum(len(epoch.steps) for epoch in epochs) - len(state.losses)
    with counted(place.name, steps) as count:
        for epoch in epochs:
            phase, scores = task.phases[epoch.phase], state.scores(epoch.phase)
            if is_over(phase, scores):  # a plateau may end early
                continue
            loss_function = create_loss(phase.loss)
            done = len(state.losses)
            # First: an average is a copy of the network, its size of input included.
            learner.take_input(phase_input(task.definition, phase))
            if not done:
                _start_epoch(epoch, learner, task)
            learner.model.train()
            for step, batch in zip(epoch.steps[done:], loader.load(epoch, done), strict=True):
                rate = learning_rate(phase.schedule, epoch, step, scores)
                state.losses.append(learner.step(batch, loss_function, rate))
                state.save_if_due()
                count.one()
            record = _end_epoch(epoch, state, task, sets, loader)
            report(record.metrics(), epoch.number)
            count.say(f"epoch {epoch.number + 1} of {epochs[-1].number + 1}: {record}")
            state.save_if_due()
    state.save()


def _start_epoch(epoch: Epoch, learner: Learner, task: Task) -> None:
    phase = task.phases[epoch.phase]
    if starts_average(phase, epoch):
        learner.start_average(phase.averaging)
    learner.seed(stream_seed(task.seed, "dropout", epoch.number))


def _end_epoch(
    epoch: Epoch, state: TrainingState, task: Task, sets: TrainingSets, loader: EpochLoader
) -> EpochRecord:
    """Score an epoch whose steps are done, keep its weights where due, and record it."""
    learner, phase, scores = state.learner, task.phases[epoch.phase], state.scores(epoch.phase)
    loss = float(torch.stack(state.losses).mean())
    _check_loss(loss, epoch, task)
    rate = learning_rate(phase.schedule, epoch, epoch.steps[-1], scores)
    # SWA needs another pass over the batches, worth its time only for a snapshot.
    again = loader.load_again(epoch) if epoch.snapshot else None
    learner.end_epoch(joins_average(phase, epoch), again)
    inner = _inner_score(phase, learner, sets)
    scores = [*scores, inner] if inner else []
    state.kept.end_epoch(phase, epoch, learner, scores)
    # Only now: a plateau that ends has restored its best weights, which are the ones to score.
    due = is_scored(epoch, task.training.score_every) or is_over(phase, scores)
    validation = learner.score(sets.held_out) if due and len(sets.held_out) else None
    record = EpochRecord(
        epoch=epoch.number,
        phase=epoch.phase,
        cycle=epoch.cycle,
        learning_rate=rate,
        loss=loss,
        validation_bce=validation.bce if validation else None,
        validation_score=validation.precision if validation else None,
        snapshot=False,
        watched_bce=inner.bce if inner else None,
        watched_score=inner.precision if inner else None,
    )
    state.history = mark_snapshots([*state.history, record], state.kept.snapshots)
    state.losses = []
    return state.history[-1]


def _inner_score(phase: Phase, learner: Learner, sets: TrainingSets) -> Score | None:
    """Return the inner-validation score; None for phases without inner validation."""
    if sets.inner_validation is None or not phase.uses_inner_validation:
        return None
    return learner.score(sets.inner_validation)


def _remaining(task: Task, plan: Sequence[Epoch], state: TrainingState) -> list[Epoch]:
    """Return the epochs still to do, as far as known: a plateau may yet end early."""
    first = state.history[-1].epoch + 1 if state.history else 0
    return [
        epoch
        for epoch in plan[first:]
        if not is_over(task.phases[epoch.phase], state.scores(epoch.phase))
    ]


def _print_position(name: str, epoch: int, state: TrainingState) -> None:
    position = f"epoch {epoch}, batch {len(state.losses)}"
    print(f"saltseg: {name}: resuming at {position}", file=sys.stderr)


def _check_loss(loss: float, epoch: Epoch, task: Task) -> None:
    """Raise InputError if the mean loss of an epoch is infinite or NaN."""
    if not math.isfinite(loss):
        schedule = task.phases[epoch.phase].schedule
        field = f"{task.section}.phases.{epoch.phase}.schedule.{schedule.written}.learning_rate"
        raise InputError(
            f"params.yaml: {field}: {schedule.learning_rate} made the loss {loss} in epoch "
            f"{epoch.number}; lower it"
        )


def _create_learner(task: Task, place: Place, start: Weights | None) -> Learner:
    fabric = create_fabric(place.runtime)
    pretrained = None if start else place.weights
    network = create_model(task.definition, stream_seed(task.seed, "weights"), pretrained)
    if start:
        network.load_state_dict(start)
    _check_sizes(network, task)
    network = network.to(memory_format=torch.channels_last)
    return Learner(network, task.training.optimizer, fabric)


def _check_sizes(network: SaltNetwork, task: Task) -> None:
    """Raise InputError if a phase's own size of the input is none that the network accepts."""
    for index, phase in enumerate(task.phases):
        if phase.input is not None:
            network.definition = phase_input(task.definition, phase)
            check_size(network, f"{task.section}.phases.{index}: the network")
    network.definition = task.definition.input


def _create_loader(
    epochs: Sequence[Epoch], learner: Learner, task: Task, sets: TrainingSets, place: Place
) -> EpochLoader:
    def batches(phase: int) -> AugmentedBatches:
        return phase_batches(task.phases[phase], sets, task.training, task.seed)

    pinned = learner.fabric.device.type == "cuda"
    return EpochLoader(epochs, batches, place.runtime.workers, pinned)


def _key(task: Task, sets: TrainingSets, learner: Learner) -> str:
    """Return the name of the checkpoint: a hash of all inputs, initial weights included."""
    fabric = learner.fabric
    weights = [tensor.cpu().numpy() for tensor in learner.model.module.state_dict().values()]
    precision = str(fabric.strategy.precision.precision)
    return checkpoint_key(
        texts=[repr(task), device_name(fabric), precision, *sets.named],
        arrays=weights + [array for crops in sets.named.values() for array in crops.arrays],
        script=Path(__file__),
    )
