"""What a network does to shapes, without computing anything."""

import torch
from torch import Tensor, nn
from torch.func import functional_call

from saltseg.config.model_definitions import CROP


def run_shapes(network: nn.Module) -> dict[str, Tensor]:
    """Let two crops without content go through a SaltNetwork in evaluation mode.

    Return what stood for its parameters and buffers, by name: tensors on torch's device `meta`.
    Raises NotImplementedError where an operation has no shapes without content, and what the
    network raises for inputs of a size that it cannot take.
    """
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    shapes = {name: tensor.detach().to("meta") for name, tensor in tensors.items()}
    crops = torch.zeros(2, CROP, CROP, device="meta"), torch.zeros(2, device="meta")
    training = network.training
    try:
        with torch.no_grad():
            functional_call(network.eval(), shapes, crops)
    finally:
        network.train(training)
    return shapes
