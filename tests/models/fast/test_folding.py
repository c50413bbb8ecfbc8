"""Folded networks put out what the plain ones do, of every family."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saltseg.config.model_definitions import ModelDefinition
from saltseg.models import create_model
from saltseg.models.fast.activated import ActivatedConvolution
from saltseg.models.fast.folding import fold_normalisation, fold_snapshots
from tests.helpers.model_definitions import (
    EVERYTHING,
    PLACE1,
    define_class_unet,
    define_plain_cnn,
    define_pyramid,
    define_unet,
)

LITE = {"encoder": "tu-tf_efficientnet_lite0"}
FAMILIES: list[tuple[ModelDefinition, int]] = [
    (define_unet(**LITE, hypercolumn="summed"), 0),
    (define_unet(**EVERYTHING), 0),
    (define_unet(encoder="se_resnext50_32x4d"), 0),
    (define_unet(encoder="efficientnet-b0"), 1),  # of a convolution that nothing reads
    (define_pyramid(deep_supervision=True), 1),  # of the side head, which only training runs
    (define_unet(**PLACE1), 4),  # each of two convolutions, one of them transposed
    (define_unet(decoder="transposed"), 5),  # of transposed convolutions
    (define_class_unet(blocks="plain"), 0),
    (define_class_unet(blocks="residual"), 0),
    (define_class_unet(blocks="preactivated"), 27),
    (define_plain_cnn(), 0),
]


def create(definition: ModelDefinition, seed: int = 1) -> nn.Module:
    """Return an evaluated network whose normalisation knows means and variances of its own."""
    network: nn.Module = create_model(definition, seed, weights=None)
    generator = torch.Generator().manual_seed(seed)
    for module in normalisations(network):
        for tensor in (module.running_mean, module.bias):
            nn.init.normal_(tensor, std=0.3, generator=generator)
        for tensor in (module.running_var, module.weight):
            nn.init.uniform_(tensor, 0.5, 1.5, generator=generator)
    return network.eval()


def normalisations(network: nn.Module) -> list[Any]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


@torch.inference_mode()
def predict(network: nn.Module) -> Tensor:
    images = torch.rand(2, 101, 101, generator=torch.Generator().manual_seed(0))
    logits: Tensor = network(images, torch.tensor([100.0, 900.0]))
    return logits


@pytest.mark.parametrize(("definition", "left"), FAMILIES)
def test_folded_logits_are_the_plain_ones(definition: ModelDefinition, left: int) -> None:
    network = create(definition)
    expected = predict(network)
    fold_normalisation(network)
    assert len(normalisations(network)) == left
    scale = float(expected.abs().amax())
    assert torch.allclose(predict(network), expected, atol=1e-4 * max(scale, 1))


def test_a_convolution_that_others_read_stays() -> None:
    """An encoder's skip connection before the normalisation, say, has to stay what it was."""

    class Forked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.normalisation = nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1)

        def forward(self, images: Tensor, depth: Tensor) -> Tensor:
            read = self.convolution(images[:, None])
            return read + self.normalisation(read)

    network = Forked().eval()
    fold_normalisation(network)
    assert len(normalisations(network)) == 1


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("forked", [True, False])
def test_an_activation_is_taken_in_where_nothing_else_reads_its_input(
    forked: bool, in_place: bool
) -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers = nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1), nn.ReLU(inplace=in_place)
            nn.init.constant_(layers[1].bias, 0.1)
            self.layers = nn.Sequential(*layers)

        def forward(self, images: Tensor, depth: Tensor) -> Tensor:
            read = self.layers[1](self.layers[0](images[:, None]))
            if forked:
                images = 2 * read
                return images + self.layers[2](read)
            return 2 * self.layers[2](read)

    network = Network().eval()
    expected = predict(network)
    fold_normalisation(network)
    assert isinstance(network.layers[0], ActivatedConvolution) is not forked
    assert torch.allclose(predict(network), expected, atol=1e-5)


def test_a_normalisation_of_another_kind_keeps_its_activation() -> None:
    class Other(nn.BatchNorm2d):
        """Whatever it does beside."""

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            convolution, normalisation = nn.Conv2d(1, 1, 3, bias=False), Other(1)
            nn.init.constant_(convolution.weight, -1)
            nn.init.constant_(normalisation.bias, 0.5)
            self.layers = nn.Sequential(convolution, normalisation, nn.ReLU(inplace=True))

        def forward(self, images: Tensor, depth: Tensor) -> Tensor:
            logits: Tensor = self.layers(images[:, None])
            return logits

    network = Network().eval()
    expected = predict(network)
    fold_normalisation(network)
    assert torch.equal(predict(network), expected)
    assert [type(layer) for layer in network.layers] == [nn.Conv2d, Other, nn.ReLU]


def test_every_activation_of_the_demo_is_taken_in() -> None:
    network = create(define_unet(**LITE))
    count = len([module for module in network.modules() if type(module) in (nn.ReLU, nn.ReLU6)])
    fold_normalisation(network)
    taken = [module for module in network.modules() if isinstance(module, ActivatedConvolution)]
    assert len(taken) == count > 30


def test_snapshots_are_folded_one_by_one() -> None:
    """Each snapshot's weights in the one network predict what the snapshot does."""
    definition = define_unet(**LITE)
    template = create(definition)
    before = template.state_dict()
    plain = [create(definition, seed) for seed in (2, 3)]
    network, snapshots = fold_snapshots(template, [each.state_dict() for each in plain])
    for weights, each in zip(snapshots, plain, strict=True):
        network.load_state_dict(weights)
        assert torch.allclose(predict(network.eval()), predict(each), atol=1e-4)
    assert template.state_dict().keys() == before.keys()


def test_no_snapshot_is_changed_when_another_is_loaded() -> None:
    definition = define_unet(**LITE)
    plain = [create(definition, seed) for seed in (2, 3, 4)]
    states = [each.state_dict() for each in plain]
    network, snapshots = fold_snapshots(create(definition), states)
    before = copy.deepcopy(snapshots)
    for number in (2, 0, 1, 0, 2):
        network.load_state_dict(snapshots[number])
        assert torch.allclose(predict(network.eval()), predict(plain[number]), atol=1e-4)
    for weights, earlier in zip(snapshots, before, strict=True):
        assert all(torch.equal(weights[name], earlier[name]) for name in earlier)
