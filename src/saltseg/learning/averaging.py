"""Averages of a network's weights over its training: exponential (EMA), or stochastic (SWA)."""

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
    """The average of the weights that a network has had, as a network of its own.

    `ema`: each update moves it by 1 - decay towards the network, statistics of batch
    normalisation included; early updates move it further, min(decay, (1 + n) / (10 + n)) being
    kept in update n, or the first weights would stay in it for long (the rule of TensorFlow's
    ExponentialMovingAverage). `swa`: all updates weigh alike; its statistics of batch
    normalisation are made by `normalise`. It wants the weights of a whole phase where the rate is
    lowest, at the ends of cycles, or of all epochs at a constant rate (Izmailov et al. 2018).
    """

    def __init__(self, network: nn.Module, rule: Rule, decay: float, fabric: Fabric) -> None:
        """Start an average that holds nothing yet, on the device of `network`."""
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
        """Take the present weights of `network` in."""
        self._averaged.update_parameters(network)

    def normalise(self, batches: Iterable[Batch]) -> None:
        """Make the statistics of batch normalisation anew: the mean over `batches`."""
        # update_bn hands the first item of each element on, and nothing else.
        update_bn(([batch] for batch in batches), _OfBatch(self.model, self._fabric))

    def state(self) -> dict[str, Any]:
        """Return what `restored` needs to go on."""
        return {"rule": self.rule, "decay": self._decay, "weights": self._averaged.state_dict()}

    @classmethod
    def restored(cls, network: nn.Module, state: dict[str, Any], fabric: Fabric) -> Self:
        """Return the average that `state` was taken of, perhaps in another process."""
        average = cls(network, state["rule"], state["decay"], fabric)
        average._averaged.load_state_dict(state["weights"])
        return average


def _move(
    decay: float, averaged: list[torch.Tensor], present: list[torch.Tensor], count: torch.Tensor
) -> None:
    """Move averages towards the present values; `count`: how many updates there were before."""
    before = int(count)
    kept = min(decay, (1 + before) / (10 + before))
    for average, value in zip(averaged, present, strict=True):
        if average.is_floating_point():
            average.lerp_(value, 1 - kept)
        else:  # counters
            average.copy_(value)


class _OfBatch(nn.Module):
    """A SaltNetwork that takes whole batches."""

    def __init__(self, network: nn.Module, fabric: Fabric) -> None:
        super().__init__()
        self.network = network
        self._fabric = fabric

    def forward(self, batch: Batch) -> Any:  # noqa: ANN401  # whatever the network's heads give
        images, _, depth = self._fabric.to_device(batch)
        return self.network(images / 255, depth)
