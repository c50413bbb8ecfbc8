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


def excitation(width: int, reduction: int = 16) -> int:
    squeezed = width // reduction
    channels = convolution(width, squeezed, 1) + convolution(squeezed, width, 1)
    return channels + convolution(width, 1, 1)


def normalised(inputs: int, outputs: int, kernel: int = 3) -> int:
    return convolution(inputs, outputs, kernel, bias=False) + normalisation(outputs)


def bottleneck(inputs: int, middle: int, outputs: int) -> int:
    body = normalised(inputs, middle, 1) + normalised(middle, middle)
    shortcut = normalised(inputs, outputs, 1) if inputs != outputs else 0
    return body + normalised(middle, outputs, 1) + shortcut


def stage(inputs: int, middle: int, outputs: int, scse: bool = True) -> int:
    others = 2 * bottleneck(outputs, middle, outputs)
    attention = excitation(outputs, reduction=2) if scse else 0
    return bottleneck(inputs, middle, outputs) + others + attention


def pyramid_pooling(width: int, outputs: int) -> int:
    return 4 * convolution(width, width // 4, 1) + normalised(2 * width, outputs)


def test_the_pyramid_network_is_of_the_15th_place_s_size() -> None:
    down = normalised(1, 32) + stage(32, 16, 64) + stage(64, 32, 128) + stage(128, 64, 256)
    dilated = 2 * stage(256, 64, 256, scse=False)
    context = pyramid_pooling(256, 128) + excitation(128, reduction=2)
    up = stage(256, 32, 64) + stage(128, 16, 32) + stage(64, 8, 16)
    mixed = normalised(32, 128, 1) + normalised(128, 128)
    guide = normalised(128, 64) + normalised(64, 32) + convolution(32, 2)
    direct = mixed + guide + normalised(128, 16, 1)
    total = down + dilated + context + up + direct + convolution(16, 1, 1)
    definition = {"filters": 32, "dilations": [2, 4]}
    assert counted(define_pyramid(**definition)) == total
    side = normalised(256, 16) + convolution(16, 1, 1)
    assert counted(define_pyramid(**definition, deep_supervision=True)) == total + side
    assert 7e6 < 4 * (total + side) < 8e6


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
    ("head_channels", 32, convolution(16, 32) + 32 + 1 - PLAIN_HEAD),
    ("dropout", 0.5, 0),
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
    alone = [row for row in ADDED if row[0] != "head_channels"]
    together = [row for row in alone if row[0] != "hypercolumn" or row[1] == hypercolumn]
    options = {option: value for option, value, _ in together}
    expected = sum(parameters for *_, parameters in together)
    assert added(**options, centre="pyramid") == expected + pyramid_pooling(512, 512)


def test_what_attention_in_the_centre_costs() -> None:
    halved = convolution(256, 64, bias=False)
    assert added(centre="attention") == pyramid_attention(512, 256) - halved


def test_a_3x3_stem_is_smaller() -> None:
    stem = {"convolution": "3x3", "stride": "one", "pooling": "none"}
    assert added(stem=stem) == (9 - 49) * 64


def test_what_wider_hypercolumns_cost() -> None:
    widened = {
        option: added(hypercolumn=option, head_channels=32) - added(hypercolumn=option)
        for option in ("concatenated", "summed")
    }
    head = 32 - 16
    offsets = {"concatenated": 1, "summed": len(LEVELS)}
    assert widened == {
        option: 9 * sum(LEVELS) * head + count * head + head for option, count in offsets.items()
    }


def test_what_the_1st_place_s_decoders_hold() -> None:
    plain = counted(define_unet(**RESNET18)) - PLAIN_HEAD
    plain -= sum(
        normalised(i + s, w) + normalised(w, w)
        for i, s, w in zip([512, *LEVELS], [256, 128, 64, 64, 0], LEVELS, strict=False)
    )
    transposed = sum(
        16 * i * w + normalisation(w) + normalised(w + s, w)
        for i, s, w in zip([512, *LEVELS], [256, 128, 64, 64, 0], LEVELS, strict=False)
    )
    wanted = define_unet(**RESNET18, decoder="transposed")
    assert counted(wanted) == plain + transposed + PLAIN_HEAD
    fused = sum(
        4 * i * 16 + 16 + s * 16 + normalisation(32)
        for i, s in zip([512, 32, 32, 32], [512, 256, 128, 64], strict=True)
    )
    light = RESNET18 | {"decoder_channels": [32] * 4}
    assert counted(define_unet(**light, decoder="fused")) == plain + fused + convolution(32, 1)
