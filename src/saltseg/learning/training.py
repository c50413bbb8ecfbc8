"""The training of one network: the loop over the epochs of its phases."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.phases import Phase
from saltseg.config.sections import Runtime, Training
from saltseg.learning.batches import AugmentedBatches, EpochLoader, phase_batches
from saltseg.learning.checkpoint import Checkpoint, checkpoint_key
from saltseg.learning.history import EpochRecord, History, mark_snapshots
from saltseg.learning.learner import Learner
from saltseg.learning.losses import create_loss
from saltseg.learning.schedules import (
    Epoch,
    is_over,
    joins_average,
    learning_rate,
    plan_epochs,
    starts_average,
)
from saltseg.learning.training_sets import TrainingSets
from saltseg.learning.training_state import TrainingState
from saltseg.models import create_model
from saltseg.models.devices import create_fabric, device_name
from saltseg.models.snapshots import Weights
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.progress import counted
from saltseg.plumbing.seeds import stream_seed

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
    checkpoints: Path
    """Folder of the checkpoints of all trainings."""
    name: str
    """What the progress calls this training."""


@dataclass
class Trained:
    """What a training leaves."""

    checkpoint: Path
    """Folder of the checkpoint after the last epoch; to be dropped once the rest is saved."""
    snapshots: list[Weights]
    """Weights on the CPU, in the order in which they were made."""
    history: History


def train(task: Task, sets: TrainingSets, place: Place, report: Report) -> Trained:
    """Train a network, or go on where an interrupted training of the same task stopped.

    A phase whose crops are none is left out.
    report: called with each epoch's metrics, those before an interruption included; whether it is
        one of the best that are kept is known so far, and in the history in the end.
    """
    learner = _create_learner(task, place)
    checkpoint = Checkpoint(
        place.checkpoints / _key(task, sets, learner), place.runtime.save_seconds
    )
    plan = plan_epochs(task.phases, sets.sizes, task.training.batch_size)
    state = TrainingState(learner, checkpoint)
    with checkpoint.owned():
        resumed = state.load()
        remaining = _remaining(task, plan, state)
        if resumed:
            _tell_place(place.name, remaining[0].number if remaining else len(plan), state)
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
    """Train through `epochs`, of whose first `state` may have taken some steps: the loop."""
    learner, loader = state.learner, _create_loader(epochs, state.learner, task, sets, place)
    steps = sum(len(epoch.steps) for epoch in epochs) - len(state.losses)
    with counted(place.name, steps) as count:
        for epoch in epochs:
            phase, scores = task.phases[epoch.phase], state.scores(epoch.phase)
            if is_over(phase, scores):  # a plateau may end before its last planned epoch
                continue
            loss_function = create_loss(phase.loss)
            done = len(state.losses)
            if not done:
                _start_epoch(epoch, learner, task)
            learner.model.train()
            for step, batch in zip(epoch.steps[done:], loader.load(epoch, done), strict=True):
                rate = learning_rate(phase.schedule, epoch, step, scores)
                state.losses.append(learner.step(batch, loss_function, rate))
                state.save_if_due()
                count()
            record = _end_epoch(epoch, state, task, sets, loader)
            report(record.metrics(), epoch.number)
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
    """Score an epoch whose steps are done, keep what it leaves, and add it to the history."""
    learner, phase, scores = state.learner, task.phases[epoch.phase], state.scores(epoch.phase)
    loss = float(torch.stack(state.losses).mean())
    _check_loss(loss, epoch, task)
    rate = learning_rate(phase.schedule, epoch, epoch.steps[-1], scores)
    # The pass over the batches that SWA needs is worth its time only where a snapshot comes of it.
    again = loader.load_again(epoch) if epoch.snapshot else None
    learner.end_epoch(joins_average(phase, epoch), again)
    watched = learner.score(sets.watched) if phase.watches and sets.watched else None
    state.kept.end_epoch(phase, epoch, learner, [*scores, watched] if watched else [])
    # Only now: a plateau that ends goes back to its best weights, and those are what is left.
    validation = learner.score(sets.held_out)
    record = EpochRecord(
        epoch=epoch.number,
        phase=epoch.phase,
        cycle=epoch.cycle,
        learning_rate=rate,
        loss=loss,
        validation_bce=validation.bce,
        validation_score=validation.precision,
        snapshot=False,
        watched_bce=watched.bce if watched else None,
        watched_score=watched.precision if watched else None,
    )
    state.history = mark_snapshots([*state.history, record], state.kept.snapshots)
    state.losses = []
    return state.history[-1]


def _remaining(task: Task, plan: Sequence[Epoch], state: TrainingState) -> list[Epoch]:
    """Return the epochs that are still to be done, as far as that is known by now."""
    first = state.history[-1].epoch + 1 if state.history else 0
    return [
        epoch
        for epoch in plan[first:]
        if not is_over(task.phases[epoch.phase], state.scores(epoch.phase))
    ]


def _tell_place(name: str, epoch: int, state: TrainingState) -> None:
    place = f"epoch {epoch}, batch {len(state.losses)}"
    print(f"saltseg: {name}: going on at {place}", file=sys.stderr)


def _check_loss(loss: float, epoch: Epoch, task: Task) -> None:
    """Raise InputError where the mean over an epoch's batches is infinite or no number."""
    if not math.isfinite(loss):
        schedule = task.phases[epoch.phase].schedule
        field = f"{task.section}.phases.{epoch.phase}.schedule.{schedule.written}.learning_rate"
        raise InputError(
            f"params.yaml: {field}: {schedule.learning_rate} made the loss {loss} in epoch "
            f"{epoch.number}; lower it"
        )


def _create_learner(task: Task, place: Place) -> Learner:
    fabric = create_fabric(place.runtime)
    network = create_model(task.definition, stream_seed(task.seed, "weights"), place.weights)
    network = network.to(memory_format=torch.channels_last)
    return Learner(network, task.training.optimizer, fabric)


def _create_loader(
    epochs: Sequence[Epoch], learner: Learner, task: Task, sets: TrainingSets, place: Place
) -> EpochLoader:
    def batches(phase: int) -> AugmentedBatches:
        return phase_batches(task.phases[phase], sets, task.training, task.seed)

    pinned = learner.fabric.device.type == "cuda"
    return EpochLoader(epochs, batches, place.runtime.workers, pinned)


def _key(task: Task, sets: TrainingSets, learner: Learner) -> str:
    """Name the checkpoint by all that determines the training, the first weights among it."""
    fabric = learner.fabric
    weights = [tensor.cpu().numpy() for tensor in learner.model.module.state_dict().values()]
    precision = str(fabric.strategy.precision.precision)
    return checkpoint_key(
        texts=[repr(task), device_name(fabric), precision, *sets.named],
        arrays=weights + [array for crops in sets.named.values() for array in crops.arrays],
        script=Path(__file__),
    )
