"""Networks by definition: `create_model` builds any of them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from saltseg.config.model_definitions import (
    ClassUnetModel,
    ModelDefinition,
    PlainCnnModel,
    PyramidModel,
    UnetModel,
)
from saltseg.models.class_unet import ClassUnet
from saltseg.models.fast.depthwise import widen_depthwise_gradients
from saltseg.models.fast.shapes import run_shapes
from saltseg.models.network import SaltNetwork
from saltseg.models.plain_cnn import PlainCnn
from saltseg.plumbing.errors import InputError, reason_of

__all__ = ["SaltNetwork", "check_size", "create_model"]


def create_model(definition: ModelDefinition, seed: int, weights: Path | None) -> SaltNetwork:
    """Build the network that `definition` describes, with random weights drawn from `seed`.

    weights: folder of pretrained weight files; None skips pretrained weights, for networks whose
    own weights are loaded next.
    Raises InputError if the encoder or its weights are not available, or the network does not
    accept inputs of this size.
    """
    if isinstance(definition, UnetModel):
        network = _create_unet(definition, seed, weights)
    else:
        body = _drawn(seed, partial(_create_body, definition))
        network = SaltNetwork(body, definition.input, 0.0, 1.0)
    name = definition.encoder if isinstance(definition, UnetModel) else definition.architecture
    check_size(network, f"models: {name}")
    return network


def _create_unet(definition: UnetModel, seed: int, weights: Path | None) -> SaltNetwork:
    # These import timm, which takes longer than torch: other networks do without.
    from saltseg.models.unet import Unet
    from saltseg.models.weights import load_start, standardisation, start_from

    start = None if weights is None else load_start(definition, weights)
    body = _drawn(seed, partial(Unet, definition, None if start else weights))
    statistics = standardisation(definition.encoder, definition.weights)
    network = SaltNetwork(body, definition.input, *statistics)
    if start:
        start_from(network, start, definition.weights)
    return network


def _drawn(seed: int, create: Callable[[], nn.Module]) -> nn.Module:
    """Return what `create` makes, with random weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = create()
    widen_depthwise_gradients(body)
    return body


def check_size(network: SaltNetwork, subject: str) -> None:
    """Raise InputError, about `subject`, if a network does not accept the size of its input."""
    try:
        run_shapes(network)
    except NotImplementedError:
        pass  # An operation does not support meta tensors; the first step will reveal errors.
    except (RuntimeError, ValueError, AssertionError) as error:
        raise InputError(
            f"params.yaml: {subject} does not accept inputs of {network.definition.size} px "
            f"({reason_of(error)}); change input.size"
        ) from error


def _create_body(definition: ClassUnetModel | PlainCnnModel | PyramidModel) -> nn.Module:
    if isinstance(definition, ClassUnetModel):
        return ClassUnet(definition)
    if isinstance(definition, PlainCnnModel):
        return PlainCnn(definition)
    from saltseg.models.pyramid import PyramidNetwork  # imports timm

    return PyramidNetwork(definition)
