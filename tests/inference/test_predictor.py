"""Prediction in batches, against a plain loop over one crop at a time."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from saltseg.config.params import Params
from saltseg.inference.predictor import BATCH, predict_all, predict_mean
from saltseg.models.devices import create_fabric

Images = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CROPS = 2 * BATCH + 6
"""Two whole batches, and a part of one."""


class Slanted(nn.Module):
    """Says salt where a crop is brighter than on its left, the surer of it the deeper it lies."""

    def __init__(self, sureness: float) -> None:
        super().__init__()
        self.sureness = nn.Parameter(torch.tensor(sureness))

    def forward(self, images: Tensor, depth: Tensor) -> Tensor:
        rise = images - images.roll(1, dims=-1)
        return self.sureness * depth[:, None, None] / 500 * rise


@pytest.fixture
def images() -> Images:
    return np.random.default_rng(0).integers(0, 256, (CROPS, 7, 9)).astype(np.uint8)


@pytest.fixture
def depth() -> Floats:
    return np.random.default_rng(1).uniform(50, 950, CROPS).astype(np.float32)


@torch.no_grad()
def one_by_one(network: nn.Module, images: Images, depth: Floats, flip: bool) -> Floats:
    predictions = []
    for image, feet in zip(images, depth, strict=True):
        crop, z = torch.tensor(image[None] / 255, dtype=torch.float32), torch.tensor([feet])
        salt = torch.sigmoid(network(crop, z))
        if flip:
            mirrored = torch.sigmoid(network(torch.flip(crop, [2]), z))
            salt = (salt + torch.flip(mirrored, [2])) / 2
        predictions.append(salt[0].numpy())
    return np.stack(predictions)


@pytest.fixture
def params(shrunk_params: Params) -> Params:
    runtime = {"accelerator": "cpu", "precision": "float32"}
    changed = shrunk_params.runtime.model_copy(update=runtime)
    return shrunk_params.model_copy(update={"runtime": changed})


@pytest.mark.parametrize("flip", [False, True])
def test_batches_are_predicted_as_each_crop_alone(
    params: Params, images: Images, depth: Floats, flip: bool
) -> None:
    fabric = create_fabric(params.runtime)
    network = Slanted(3.0)
    found = predict_all(fabric.setup_module(network), images, depth, fabric, flip)
    expected = one_by_one(network, images, depth, flip)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_the_mean_over_snapshots_is_that_of_each_crop_alone(
    params: Params, images: Images, depth: Floats
) -> None:
    fabric = create_fabric(params.runtime)
    networks = [Slanted(1.0), Slanted(-4.0)]
    weights = [network.state_dict() for network in networks]
    network = fabric.setup_module(Slanted(0.0))
    found = predict_mean(network, weights, [0.2, 0.8], images, depth, fabric, flip=True)
    first, second = (one_by_one(network, images, depth, flip=True) for network in networks)
    np.testing.assert_allclose(found, 0.2 * first + 0.8 * second, rtol=0, atol=1e-6)
