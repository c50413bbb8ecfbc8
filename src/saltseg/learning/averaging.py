"""Weight averaging during training: exponential moving average (EMA) or stochastic (SWA)."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Literal, Self

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from saltseg.learning.batches import Batch

Rule = Literal["ema", "swa"]


class Average:
    """The average of a network's weights over time, as a network of its own.

    `ema`: each update moves the average by 1 - decay towards the network, batch-norm statistics
    included. Early updates move it further, so that the initial weights fade quickly: update n
    keeps min(decay, (1 + n) / (10 + n)) of the average (the rule of TensorFlow's
    ExponentialMovingAverage).
    `swa`: all updates count equally; `normalise` recomputes the batch-norm statistics. It averages
    a whole phase where the learning rate is lowest: at the ends of cycles, or over all epochs at a
    constant rate (Izmailov et al. 2018).
    """

    def __init__(self, network: nn.Module, rule: Rule, decay: float, fabric: Fabric) -> None:
        """Start an empty average on the device of `network`."""
        self.rule = rule
        self._decay = decay
        self._fabric = fabric
        self._averaged = AveragedModel(
            network,
            multi_avg_fn=partial(_move, decay) if rule == "ema" else None,
            use_buffers=rule == "ema",
        )
        self.model = fabric.setup_module(self._averaged.module)

    def update(self, network: nn.Module) -> None:
        """Include the current weights of `network`."""
        self._averaged.update_parameters(network)

    def normalise(self, batches: Iterable[Batch]) -> None:
        """Recompute the batch-norm statistics as the mean over `batches`."""
        # update_bn passes on only the first item of each element.
        update_bn(([batch] for batch in batches), _OfBatch(self.model, self._fabric))

    def state(self) -> dict[str, Any]:
        """Return what `restored` needs to resume."""
        return {"rule": self.rule, "decay": self._decay, "weights": self._averaged.state_dict()}

    @classmethod
    def restored(cls, network: nn.Module, state: dict[str, Any], fabric: Fabric) -> Self:
        """Recreate the average whose `state` this is, perhaps from another process."""
        average = cls(network, state["rule"], state["decay"], fabric)
        average._averaged.load_state_dict(state["weights"])
        return average


def _move(
    decay: float, averaged: list[torch.Tensor], present: list[torch.Tensor], count: torch.Tensor
) -> None:
    """Move averages towards the present values; `count`: number of earlier updates."""
    before = int(count)
    kept = min(decay, (1 + before) / (10 + before))
    for average, value in zip(averaged, present, strict=True):
        if average.is_floating_point():
            average.lerp_(value, 1 - kept)
        else:  # counters
            average.copy_(value)


class _OfBatch(nn.Module):
    """Adapts a SaltNetwork to take whole batches."""

    def __init__(self, network: nn.Module, fabric: Fabric) -> None:
        super().__init__()
        self.network = network
        self._fabric = fabric

    def forward(self, batch: Batch) -> Any:  # noqa: ANN401  # whatever the network's heads give
        images, _, depth = self._fabric.to_device(batch)
        return self.network(images / 255, depth)
