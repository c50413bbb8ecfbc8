"""How many parameters a network has, added up layer by layer from its description."""

from collections.abc import Callable

import pytest
from torch import nn

from saltseg.config.model_definitions import ModelDefinition
from saltseg.models import create_model
from tests.helpers.model_definitions import (
    define_class_unet,
    define_input,
    define_plain_cnn,
    define_pyramid,
    define_unet,
)

WIDTHS = [16, 32, 64, 128, 256]


def counted(definition: ModelDefinition) -> int:
    network: nn.Module = create_model(definition, seed=0, weights=None)
    return sum(parameter.numel() for parameter in network.parameters())


def convolution(inputs: int, outputs: int, kernel: int = 3, bias: bool = True) -> int:
    return kernel**2 * inputs * outputs + outputs * bias


def normalisation(width: int) -> int:
    return 2 * width


def plain(inputs: int, width: int) -> int:
    return convolution(inputs, width) + convolution(width, width)


def residual(inputs: int, width: int) -> int:
    block = 2 * convolution(width, width) + 2 * normalisation(width)
    return convolution(inputs, width) + 2 * block


def preactivated(inputs: int, width: int) -> int:
    return residual(inputs, width) + normalisation(width)


def unet(level: Callable[[int, int], int], channels: int) -> int:
    """Five levels down, four transposed convolutions and levels up, 1x1 at the end."""
    down = sum(level(i, w) for i, w in zip([channels, *WIDTHS], WIDTHS, strict=False))
    rise = sum(convolution(2 * width, width) for width in WIDTHS[:4])
    up = sum(level(2 * width, width) for width in WIDTHS[:4])
    return down + rise + up + convolution(16, 1, kernel=1)


@pytest.mark.parametrize(
    ("blocks", "level"),
    [("plain", plain), ("residual", residual), ("preactivated", preactivated)],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_reports_networks(blocks: str, level: Callable[[int, int], int], channels: int) -> None:
    definition = define_class_unet(
        blocks=blocks, filters=16, input=define_input(channels=["image"] * channels)
    )
    assert counted(definition) == unet(level, channels)


def test_the_capstone_s_plain_network_differs_by_its_input_alone() -> None:
    resized = define_class_unet(filters=16, input=define_input(fit="resize", size=128))
    assert counted(resized) == unet(plain, 1)


def test_the_plain_cnn() -> None:
    first, others = convolution(2, 8), 4 * convolution(8, 8)
    definition = define_plain_cnn(
        filters=8, layers=5, input=define_input(channels=["image", "depth"])
    )
    assert counted(definition) == first + others + 8 + 1


def excitation(width: int) -> int:
    squeezed = width // 16
    channels = convolution(width, squeezed, 1) + convolution(squeezed, width, 1)
    return channels + convolution(width, 1, 1)


def stage(inputs: int, width: int, blocks: int) -> int:
    layer = convolution(width, width, bias=False) + normalisation(width)
    first = convolution(inputs, width, bias=False) + normalisation(width)
    return first + blocks * 2 * layer + excitation(width)


def pyramid_pooling(width: int) -> int:
    branches = 4 * convolution(width, width // 4, 1)
    return branches + convolution(2 * width, width, bias=False) + normalisation(width)


def test_the_pyramid_network_is_of_the_15th_place_s_size() -> None:
    down = stage(1, 32, 1) + stage(32, 64, 2) + stage(64, 128, 4)
    guides = convolution(128 + 64, 2) + convolution(64 + 32, 2)
    up = stage(128 + 64, 64, 0) + stage(64 + 32, 32, 0) + guides
    total = down + pyramid_pooling(128) + up + convolution(32, 1, 1)
    assert counted(define_pyramid(filters=32, dilations=[1, 2, 4, 8])) == total
    assert 7e6 < 4 * total < 8e6


RESNET18 = {"encoder": "resnet18", "decoder_channels": [64, 48, 32, 16, 16]}
STAGES = [64, 128, 256, 512]


def added(**changes: object) -> int:
    """Return how many parameters a change adds to a U-Net on ResNet-18."""
    return counted(define_unet(**RESNET18, **changes)) - counted(define_unet(**RESNET18))


def pyramid_attention(width: int, outputs: int) -> int:
    layers = [(outputs, 1), (width, 5), (outputs, 5), (width, 3), (outputs, 3)]
    pyramid = sum(convolution(width, o, k, bias=False) + normalisation(o) for o, k in layers)
    return pyramid + convolution(width, outputs, 1)


LEVELS = [64, 48, 32, 16, 16]
PLAIN_HEAD = convolution(16, 1)
ADDED: list[tuple[str, object, int]] = [
    ("empty_head", True, 512 + 1),
    ("deep_supervision", True, sum(width + 1 for width in LEVELS[:-1])),
    ("encoder_scse", True, sum(excitation(width) for width in STAGES)),
    ("hypercolumn", "concatenated", convolution(sum(LEVELS), 16) + 16 + 1 - PLAIN_HEAD),
    ("hypercolumn", "summed", sum(convolution(w, 16) for w in LEVELS) + 16 + 1 - PLAIN_HEAD),
    (
        "scse",
        True,
        sum(excitation(w) for w in LEVELS)
        + sum(excitation(w) for w in [512 + 256, 64 + 128, 48 + 64, 32 + 64]),
    ),
]


@pytest.mark.parametrize(("option", "value", "expected"), ADDED)
def test_what_an_addition_costs(option: str, value: object, expected: int) -> None:
    assert added(**{option: value}) == expected


@pytest.mark.parametrize("hypercolumn", ["concatenated", "summed"])
def test_additions_do_not_know_of_each_other(hypercolumn: str) -> None:
    together = [row for row in ADDED if row[0] != "hypercolumn" or row[1] == hypercolumn]
    options = {option: value for option, value, _ in together}
    expected = sum(parameters for *_, parameters in together)
    assert added(**options, centre="pyramid") == expected + pyramid_pooling(512)


def test_what_attention_in_the_centre_costs() -> None:
    halved = convolution(256, 64, bias=False)
    assert added(centre="attention") == pyramid_attention(512, 256) - halved


def test_a_3x3_stem_is_smaller() -> None:
    stem = {"convolution": "3x3", "stride": "one", "pooling": "none"}
    assert added(stem=stem) == (9 - 49) * 64
