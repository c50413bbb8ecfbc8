"""A convolution with its activation puts out what both do in turn, bit by bit."""

from typing import Any

import pytest
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import nn

from saltseg.models.fast.activated import ActivatedConvolution, can_activate
from saltseg.models.fast.depthwise import DepthwiseConvolution

CONVOLUTIONS = {
    "plain": nn.Conv2d(8, 4, 3, padding=1),
    "without bias": nn.Conv2d(8, 4, 3, stride=2, dilation=2, bias=False),
    "grouped": nn.Conv2d(8, 8, 5, padding=2, groups=4),
    "same": Conv2dSame(8, 8, 3, stride=2),
    "depthwise": DepthwiseConvolution(Conv2dSame(8, 8, 5, stride=2, groups=8)),
}


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("activation", [nn.ReLU(inplace=True), nn.ReLU6(inplace=True)], ids=str)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_it_puts_out_what_both_do_in_turn(name: str, activation: nn.Module, half: bool) -> None:
    convolution: Any = CONVOLUTIONS[name]
    assert can_activate(convolution, activation)
    inputs = 9 * torch.randn(2, 8, 21, 21, generator=torch.Generator().manual_seed(0))
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        expected = activation(convolution(inputs))
        found = ActivatedConvolution(convolution, activation)(inputs)
    assert found.dtype == (torch.bfloat16 if half else torch.float32)
    assert torch.equal(found, expected)
    assert float(expected.amax()) == 6 or isinstance(activation, nn.ReLU)


@pytest.mark.parametrize(
    ("convolution", "activation"),
    [
        (nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect"), nn.ReLU()),
        (nn.Conv2d(8, 4, 3, padding="same"), nn.ReLU()),
        (nn.ConvTranspose2d(8, 4, 3), nn.ReLU()),
        (nn.Conv2d(8, 4, 3), nn.Hardtanh(-2, 2)),
        (nn.Conv2d(8, 4, 3), nn.SiLU()),
    ],
    ids=lambda module: type(module).__name__,
)
def test_what_the_operator_does_not_know_stays(
    convolution: nn.Module, activation: nn.Module
) -> None:
    assert not can_activate(convolution, activation)
