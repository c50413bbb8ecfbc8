"""The default network, as saltseg runs it and as plain PyTorch does."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from benchmarks.side_by_side import ROOT
from saltseg.config.model_definitions import CROP
from saltseg.config.params import Params
from saltseg.config.recipes import read_recipe
from saltseg.models import create_model
from saltseg.models.inputs import centre, channel, fit
from saltseg.models.network import SaltNetwork
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.memory import MMAP_MAX, keep_freed_memory


def default_params() -> Params:
    """Return those of the recipe `demo`, whatever params.yaml holds."""
    return read_recipe(Layout(ROOT), "demo")


def default_network() -> SaltNetwork:
    """Return the network of the demo, with its pretrained weights."""
    network = create_model(default_params().models["lite0"], 0, ROOT / "weights")
    assert isinstance(network, SaltNetwork)
    return network


class PlainNetwork(nn.Module):
    """The same network in PyTorch's own layout of memory, for crops that are padded already."""

    def __init__(self) -> None:
        super().__init__()
        self.body = default_network().body

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (n, 1, size, size) to logits of the same shape."""
        logits: Tensor = self.body(inputs).logits
        return logits


def padded(network: SaltNetwork, images: Tensor) -> Tensor:
    """Return the standardised and padded input of uint8 crops, float (n, 1, size, size)."""
    offset = centre(network.definition, images.shape[-2:])
    fitted = fit(images[:, None] / 255, network.definition, [offset])
    return channel("image", fitted[:, 0], images[:, 0, 0], network.mean, network.std)[:, None]


def cropped(network: SaltNetwork, logits: Tensor) -> Tensor:
    top, left = centre(network.definition, torch.Size((CROP, CROP)))
    return logits[:, 0, top : top + CROP, left : left + CROP]


@contextmanager
def plain_defaults() -> Iterator[None]:
    """Let PyTorch choose its kernels, and the C library its memory, as where nobody asks."""
    torch.use_deterministic_algorithms(False)
    keep_freed_memory(2 * MMAP_MAX, MMAP_MAX)
    try:
        yield
    finally:
        keep_freed_memory()
        torch.use_deterministic_algorithms(True, warn_only=True)
