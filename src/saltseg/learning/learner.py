"""A network in training, with its optimiser and device, one step at a time."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn import functional

from saltseg.config.model_definitions import Input
from saltseg.config.phases import Averaging, Ema
from saltseg.config.sections import Optimizer
from saltseg.inference.predictor import predict_all
from saltseg.learning.averaging import Average
from saltseg.learning.batches import Batch
from saltseg.learning.losses import Loss
from saltseg.learning.optimizers import create_optimizer
from saltseg.learning.schedules import Score
from saltseg.learning.training_sets import LabelledCrops
from saltseg.models.snapshots import Weights
from saltseg.scoring.metric import precision


class Learner:
    """A network and everything that training steps change."""

    def __init__(self, network: nn.Module, settings: Optimizer, fabric: Fabric) -> None:
        """Set up `network`, a SaltNetwork, on the device of `fabric`."""
        self.fabric = fabric
        self.model, self.optimizer = fabric.setup(network, create_optimizer(network, settings))
        self.average: Average | None = None
        self.evaluated: nn.Module = self.model
        """What is scored and kept: the network, or the average of its weights."""

    def seed(self, seed: int) -> None:
        """Seed the random numbers that the network draws, such as dropout."""
        torch.manual_seed(seed)

    def take_input(self, definition: Input) -> None:
        """Bring crops to the size of `definition` from now on."""
        self.model.module.definition = definition

    def start_average(self, averaging: Averaging) -> None:
        """Start the average of a phase from scratch, if it has one."""
        self.evaluated, self.average = self.model, None
        if isinstance(averaging, Ema):
            self.average = Average(self.model.module, "ema", averaging.decay, self.fabric)
        elif averaging == "swa":
            self.average = Average(self.model.module, "swa", 0.0, self.fabric)

    def end_epoch(self, averaged: bool, batches: Iterable[Batch] | None) -> None:
        """Choose which weights are scored and kept for an epoch that has just ended.

        averaged: whether SWA includes the epoch's weights.
        batches: training batches to recompute the batch-norm statistics of SWA. None if the epoch
        leaves no snapshot: then the network itself is scored, which saves a pass over the batches.
        """
        self.evaluated = self.model
        if self.average:
            if self.average.rule == "swa":
                if averaged:
                    self.average.update(self.model.module)
                if batches is None:
                    return
                self.average.normalise(batches)
            self.evaluated = self.average.model

    def step(self, batch: Batch, loss_function: Loss, learning_rate: float) -> torch.Tensor:
        """Train on one batch and return its loss, a scalar on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        images, masks, depth = self.fabric.to_device(batch)
        self.optimizer.zero_grad()
        loss = loss_function(self.model(images / 255, depth), masks)
        self.fabric.backward(loss)
        self.optimizer.step()
        if self.average and self.average.rule == "ema":
            self.average.update(self.model.module)
        return loss.detach()

    def score(self, crops: LabelledCrops) -> Score:
        """Return how well `evaluated` predicts `crops`, without flip averaging."""
        probabilities = predict_all(
            self.evaluated, crops.images, crops.depth, self.fabric, flip=False
        )
        bce = functional.binary_cross_entropy(
            torch.from_numpy(probabilities), torch.from_numpy(crops.masks.astype(np.float32))
        )
        return Score(float(precision(probabilities > 0.5, crops.masks).mean()), -float(bce))

    def copy_weights(self) -> Weights:
        """Return a copy of the weights of `evaluated` on the CPU."""
        return {
            name: tensor.detach().cpu().clone().contiguous()
            for name, tensor in self.evaluated.state_dict().items()
        }

    def load_weights(self, weights: Weights) -> None:
        """Continue from earlier `weights`, as copy_weights returned them."""
        self.model.load_state_dict(weights)
        self.evaluated = self.model

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs to resume with the next step as if uninterrupted."""
        return {
            "weights": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state() if self.average else None,
            "generator": torch.get_rng_state(),
            "device_generator": self._device_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned, perhaps in another process."""
        self.model.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["average"]:
            self.average = Average.restored(self.model.module, state["average"], self.fabric)
        torch.set_rng_state(state["generator"])
        if self._has_own_generator:
            self._device_generator().set_rng_state(state["device_generator"])

    def _device_rng_state(self) -> torch.Tensor | None:
        if not self._has_own_generator:
            return None
        state: torch.Tensor = self._device_generator().get_rng_state()
        return state

    @property
    def _has_own_generator(self) -> bool:
        """Whether the device has a random generator of its own."""
        return self.fabric.device.type != "cpu"

    def _device_generator(self) -> Any:  # noqa: ANN401  # torch.cuda or torch.mps, both modules
        return torch.get_device_module(self.fabric.device)
