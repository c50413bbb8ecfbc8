"""Networks by definition: `create_model` builds any of them."""

from pathlib import Path

import torch

from saltseg.models.class_unet import ClassUnet
from saltseg.models.network import SaltNetwork
from saltseg.models.unet import create_unet, standardisation
from saltseg.params import ClassUnetModel, ModelDefinition, UnetModel

__all__ = ["SaltNetwork", "create_model"]


def create_model(definition: ModelDefinition, seed: int, weights: Path | None) -> SaltNetwork:
    """Build the network that `definition` describes, its random weights drawn from `seed`.

    weights: folder of files of pretrained weights; None leaves pretrained weights out, where the
    network's own are loaded next.
    Raises InputError where the encoder or its weights are not to be had.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(definition, UnetModel):
            body: torch.nn.Module = create_unet(definition, weights)
            mean, std = standardisation(definition.encoder)
        else:
            body, mean, std = _create_class_unet(definition), 0.0, 1.0
        return SaltNetwork(body, definition.input, mean, std)


def _create_class_unet(definition: ClassUnetModel) -> ClassUnet:
    return ClassUnet(len(definition.input.channels), definition.filters, definition.dropout)
