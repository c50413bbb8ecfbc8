"""The GPU memory that a training needs, estimated without a GPU."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from saltseg.config.model_definitions import CROP, ModelDefinition
from saltseg.models import create_model

CONTEXT = 1 << 30
"""Bytes of a process for CUDA, its libraries and their workspaces."""
COPIES = 4
"""Weights, gradients and at most two moments of the optimiser."""
SLACK = 1.5
"""What the allocator's fragments and the backward pass hold above the saved activations."""

_FEW = 2
"""Crops that are enough for batch normalisation."""


def training_memory(definitions: Iterable[ModelDefinition], batch_size: int) -> int:
    """Return the bytes that a training of any of these networks needs on a GPU, at most.

    Counted in float32; bfloat16 needs up to half as much. Raises InputError where a network
    cannot be built.
    """
    return CONTEXT + max(round(SLACK * _step(each, batch_size)) for each in definitions)


def _step(definition: ModelDefinition, batch_size: int) -> int:
    """Return the bytes of weights, gradients, moments and saved activations of a step."""
    with torch.device("meta"):
        network = create_model(definition, seed=0, weights=None).train()
        crops = torch.zeros(_FEW, CROP, CROP), torch.zeros(_FEW)
    saved: dict[int, int] = {}
    held = []  # as autograd does, so that no storage's place is taken by another

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        held.append(tensor)
        saved[storage._cdata] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        network(*crops)
    for parameter in network.parameters():
        saved.pop(parameter.untyped_storage()._cdata, None)
    weights = sum(parameter.nbytes for parameter in network.parameters())
    return COPIES * weights + sum(saved.values()) * batch_size // _FEW
