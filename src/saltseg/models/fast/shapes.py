"""Running a network on shapes alone, without computing anything."""

import torch
from torch import Tensor, nn
from torch.func import functional_call

from saltseg.config.model_definitions import CROP


def run_shapes(network: nn.Module) -> dict[str, Tensor]:
    """Run a SaltNetwork in evaluation mode on two crops on torch's `meta` device.

    Returns the meta tensors used for its parameters and buffers, by name.
    Raises NotImplementedError if an operation does not support meta tensors, and whatever the
    network raises for input sizes that it does not accept.
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
