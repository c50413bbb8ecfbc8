"""The training of one network: phases of cosine cycles, a snapshot at the end of each cycle."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn import functional

from saltseg.batches import AugmentedBatches, Batch, load_batches
from saltseg.devices import create_fabric
from saltseg.errors import InputError
from saltseg.labelled import LabelledCrops
from saltseg.losses import Loss, create_loss
from saltseg.metric import precision
from saltseg.models import create_model
from saltseg.optimizers import create_optimizer
from saltseg.params import ModelDefinition, Phase, Runtime, Training
from saltseg.prediction import predict_all
from saltseg.progress import progress
from saltseg.schedules import Epoch, learning_rate, plan_epochs
from saltseg.seeds import stream_seed
from saltseg.states import load_state, save_state, state_key

Weights = dict[str, torch.Tensor]
History = list[dict[str, Any]]
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
    """File of the state after the last epoch; to be dropped once the rest is saved."""
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
    report: called with each epoch's numbers.
    """
    fabric = create_fabric(place.runtime)
    network = create_model(task.definition, stream_seed(task.seed, "weights"), place.weights)
    network = network.to(memory_format=torch.channels_last)
    optimizer = create_optimizer(network, task.training.optimizer)
    model, optimizer = fabric.setup(network, optimizer)
    state = _state_file(task, network, crops, validation, place, fabric)
    trained = _resume(state, model, optimizer)
    sizes = {name: len(part) for name, part in crops.items()}
    epochs = plan_epochs(task.phases, sizes, task.training.batch_size)[len(trained.history) :]
    batches = _stream(task, crops, epochs, place)
    for epoch in epochs:
        torch.manual_seed(stream_seed(task.seed, "dropout", epoch.number))
        loss = _run_epoch(model, optimizer, task.phases[epoch.phase], epoch, batches, fabric)
        _record(trained, model, task.phases[epoch.phase], epoch, loss, validation, fabric)
        report(_numbers(trained.history[-1]), epoch.number)
        save_state(trained.state, _state(trained, model, optimizer))
    return trained


def _state_file(
    task: Task,
    network: nn.Module,
    crops: Mapping[str, LabelledCrops],
    validation: LabelledCrops,
    place: Place,
    fabric: Fabric,
) -> Path:
    """Name the state by everything that determines the training, the first weights among it."""
    sets = [*crops.values(), validation]
    weights = [tensor.cpu().numpy() for tensor in network.state_dict().values()]
    key = state_key(
        texts=[repr(task), fabric.device.type, str(fabric.strategy.precision.precision), *crops],
        arrays=weights
        + [array for part in sets for array in (part.images, part.masks, part.depth)],
    )
    return place.states / f"{key}.pt"


def _stream(
    task: Task, crops: Mapping[str, LabelledCrops], epochs: Sequence[Epoch], place: Place
) -> Iterator[Batch]:
    """Yield the batches of all epochs, phase after phase, and show the progress."""
    parts = []
    for index in dict.fromkeys(epoch.phase for epoch in epochs):
        numbers = [epoch.number for epoch in epochs if epoch.phase == index]
        batches = AugmentedBatches(
            crops[task.phases[index].data],
            task.training.batch_size,
            task.training.augmentation,
            task.seed,
        )
        parts.append((batches, range(numbers[0], numbers[-1] + 1)))
    total = sum(batches.count * len(numbers) for batches, numbers in parts)
    flow = (
        batch
        for batches, numbers in parts
        for batch in load_batches(batches, numbers, place.runtime.workers)
    )
    return iter(progress(flow, place.name, total))


def _run_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    phase: Phase,
    epoch: Epoch,
    batches: Iterator[Batch],
    fabric: Fabric,
) -> float:
    """Take the steps of one epoch and return the mean loss over its batches."""
    model.train()
    loss_function = create_loss(phase.loss)
    losses = []
    for step in epoch.steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(phase, epoch, step)
        losses.append(_step(model, optimizer, loss_function, next(batches), fabric))
    return float(torch.stack(losses).mean())


def _step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_function: Loss,
    batch: Batch,
    fabric: Fabric,
) -> torch.Tensor:
    images, masks, depth = fabric.to_device(batch)
    optimizer.zero_grad()
    loss = loss_function(model(images / 255, depth).float(), masks.float())
    fabric.backward(loss)
    optimizer.step()
    return loss.detach()


def _record(
    trained: Trained,
    model: nn.Module,
    phase: Phase,
    epoch: Epoch,
    loss: float,
    validation: LabelledCrops,
    fabric: Fabric,
) -> None:
    """Add the epoch's line to the history, and the snapshot where the cycle ends."""
    if not math.isfinite(loss):
        raise InputError(
            f"params.yaml: phases.{epoch.phase}.learning_rate: {phase.learning_rate} made the loss "
            f"{loss} in epoch {epoch.number}; lower it"
        )
    keeps = phase.snapshots and epoch.ends_cycle
    trained.history.append(
        {
            "epoch": epoch.number,
            "phase": epoch.phase,
            "cycle": epoch.cycle,
            "learning_rate": learning_rate(phase, epoch, epoch.steps[-1]),
            "loss": loss,
            **_validate(model, validation, fabric),
            "snapshot": int(keeps),
        }
    )
    if keeps:
        trained.snapshots.append(_copy_weights(model))


def _validate(model: nn.Module, validation: LabelledCrops, fabric: Fabric) -> dict[str, float]:
    """Score the held-out fold at p > 0.5, without flips."""
    probabilities = predict_all(model, validation.images, validation.depth, fabric, flip=False)
    loss = functional.binary_cross_entropy(
        torch.from_numpy(probabilities), torch.from_numpy(validation.masks.astype(np.float32))
    )
    scores = precision(probabilities > 0.5, validation.masks)
    return {"validation_bce": float(loss), "validation_precision": float(scores.mean())}


def _copy_weights(model: nn.Module) -> Weights:
    return {
        name: tensor.detach().cpu().clone().contiguous()
        for name, tensor in model.state_dict().items()
    }


def _numbers(line: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in line.items() if name != "epoch"}


def _state(trained: Trained, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    return {
        "snapshots": trained.snapshots,
        "history": trained.history,
        "weights": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }


def _resume(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> Trained:
    """Load the state of an interrupted training, if there is one."""
    state = load_state(path)
    if state is None:
        return Trained(path)
    model.load_state_dict(state["weights"])
    optimizer.load_state_dict(state["optimizer"])
    return Trained(path, state["snapshots"], state["history"])
