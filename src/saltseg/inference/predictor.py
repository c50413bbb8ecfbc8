"""Prediction with flips and other views: from crops to probabilities."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from lightning_fabric import Fabric
from torch import nn

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.sections import Runtime
from saltseg.inference.views import View
from saltseg.models import create_model
from saltseg.models.devices import create_fabric
from saltseg.models.fast.folding import fold_snapshots
from saltseg.models.snapshots import Weights
from saltseg.models.tiles import TileNetwork
from saltseg.plumbing.progress import progress

Predictor = Callable[..., npt.NDArray[np.float32]]
"""Takes `images`, uint8 (n, h, w), and `depth`, float32 (n,) in feet; `name` is what the progress
calls it. Returns probabilities of salt, float32 (n, h, w)."""

BATCH = 64
"""Crops predicted at once; enough to fill a device and little beside the network's own memory."""


def predict(
    network: nn.Module,
    images: npt.NDArray[np.uint8],
    depth: npt.NDArray[np.float32],
    fabric: Fabric,
    flip: bool,
    views: Sequence[View] = (),
) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """Yield the probabilities of salt, float32 (b, h, w), of one slice of the crops after another.

    network: a SaltNetwork set up by `fabric`; images: uint8 (n, h, w), may be mapped from a file;
    depth: float32 (n,) in feet; flip: average with the prediction of the mirror image;
    views: average with the predictions of these too, each pixel over those that show it.
    """
    network.eval()
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        crops = fabric.to_device(torch.from_numpy(np.array(images[part])))
        z = fabric.to_device(torch.from_numpy(depth[part]))
        yield part, _probabilities(network, crops, z, flip, views).cpu().numpy()


@torch.inference_mode()
def _probabilities(
    network: nn.Module,
    crops: torch.Tensor,
    depth: torch.Tensor,
    flip: bool,
    views: Sequence[View],
) -> torch.Tensor:
    grey = crops / 255
    total = _with_flip(network, grey, depth, flip)
    count = torch.ones_like(total)
    for view in views:
        total += view.undo(_with_flip(network, view.look(grey), depth, flip))
        count += view.undo(torch.ones_like(grey))
    return total / count if views else total


def _with_flip(
    network: nn.Module, grey: torch.Tensor, depth: torch.Tensor, flip: bool
) -> torch.Tensor:
    probabilities: torch.Tensor = network(grey, depth).sigmoid()
    if flip:
        mirrored = network(grey.flip(-1), depth).sigmoid().flip(-1)
        probabilities = (probabilities + mirrored) / 2
    return probabilities


def predict_all(
    network: nn.Module,
    images: npt.NDArray[np.uint8],
    depth: npt.NDArray[np.float32],
    fabric: Fabric,
    flip: bool,
    views: Sequence[View] = (),
) -> npt.NDArray[np.float32]:
    """Return the probabilities of all crops, float32 (n, h, w); see `predict`."""
    probabilities = np.empty(images.shape, np.float32)
    for part, values in predict(network, images, depth, fabric, flip, views):
        probabilities[part] = values
    return probabilities


def predict_mean(
    network: nn.Module,
    snapshots: Sequence[Mapping[str, torch.Tensor]],
    shares: Sequence[float],
    images: npt.NDArray[np.uint8],
    depth: npt.NDArray[np.float32],
    fabric: Fabric,
    flip: bool,
    views: Sequence[View] = (),
    name: str = "",
) -> npt.NDArray[np.float32]:
    """Return the mean over a network's snapshots, weighted by `shares`; see `predict`.

    name: what the progress calls it; without a name no progress is shown.
    """

    def weighted() -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
        for weights, share in zip(snapshots, shares, strict=True):
            network.load_state_dict(weights)
            for part, values in predict(network, images, depth, fabric, flip, views):
                yield part, np.float32(share) * values

    mean = np.zeros(images.shape, np.float32)
    steps = weighted()
    if name:
        steps = progress(steps, name, len(shares) * math.ceil(len(images) / BATCH))
    for part, values in steps:
        mean[part] += values
    return mean


def snapshot_predictor(
    definition: ModelDefinition,
    snapshots: Sequence[Weights],
    decay: float,
    runtime: Runtime,
    flip: bool,
    views: Sequence[View] = (),
    tiles: bool = False,
) -> Predictor:
    """Return the mean over a network's snapshots, oldest first, as a function of the crops.

    decay: see snapshot_shares; flip, views: see `predict`. tiles: predict images of any size, as
    models.tiles does, and not crops alone.
    """
    fabric = create_fabric(runtime)
    plain = create_model(definition, seed=0, weights=None)
    network, folded = fold_snapshots(plain, snapshots)
    if tiles:
        network = TileNetwork.of(network)
    return partial(
        predict_mean,
        fabric.setup_module(network.to(memory_format=torch.channels_last)),
        folded,
        snapshot_shares(len(snapshots), decay),
        fabric=fabric,
        flip=flip,
        views=views,
    )


def snapshot_shares(count: int, decay: float) -> list[float]:
    """Return the weights of a model's snapshots, oldest first; they fall by `decay` with age.

    Source: the 28th place's exponentially falling weights.
    """
    weights = [decay**age for age in reversed(range(count))]
    return [weight / sum(weights) for weight in weights]
