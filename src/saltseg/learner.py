"""A network that learns: with its optimiser, on its device, one step at a time."""

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from saltseg.batches import Batch
from saltseg.losses import Loss
from saltseg.optimizers import create_optimizer
from saltseg.params import Optimizer
from saltseg.snapshots import Weights


class Learner:
    """A network and everything that its steps change."""

    def __init__(self, network: nn.Module, settings: Optimizer, fabric: Fabric) -> None:
        """Set `network`, a SaltNetwork, up on the device of `fabric`."""
        self.fabric = fabric
        self.model, self.optimizer = fabric.setup(network, create_optimizer(network, settings))

    def seed(self, seed: int) -> None:
        """Start the random numbers that the network draws, its dropout's, anew."""
        torch.manual_seed(seed)

    def step(self, batch: Batch, loss_function: Loss, learning_rate: float) -> torch.Tensor:
        """Learn from one batch and return its loss, a scalar that stays on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        images, masks, depth = self.fabric.to_device(batch)
        self.optimizer.zero_grad()
        loss = loss_function(self.model(images / 255, depth), masks.float())
        self.fabric.backward(loss)
        self.optimizer.step()
        return loss.detach()

    def copy_weights(self) -> Weights:
        """Return the present weights on the CPU; further steps leave them alone."""
        return {
            name: tensor.detach().cpu().clone().contiguous()
            for name, tensor in self.model.state_dict().items()
        }

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs to go on with the next step as if there had been no pause."""
        return {
            "weights": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": torch.get_rng_state(),
            "device_generator": self._device_generator().get_rng_state() if self._apart else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned in another process."""
        self.model.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["generator"])
        if self._apart:
            self._device_generator().set_rng_state(state["device_generator"])

    @property
    def _apart(self) -> bool:
        """Whether the device draws its random numbers by itself."""
        return self.fabric.device.type != "cpu"

    def _device_generator(self) -> Any:  # noqa: ANN401  # torch.cuda or torch.mps, both modules
        return torch.get_device_module(self.fabric.device)
