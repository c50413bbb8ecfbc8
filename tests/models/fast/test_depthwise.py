"""Depthwise convolutions: what they put out, their names and their gradients."""

import copy

import pytest
import torch
from segmentation_models_pytorch.encoders import get_encoder
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn

from saltseg.models.fast.depthwise import DepthwiseConvolution, widen_depthwise_gradients

CONVOLUTIONS = {
    "stride two, padded by timm": lambda: Conv2dSame(6, 6, 5, stride=2, groups=6, bias=False),
    "stride two": lambda: nn.Conv2d(6, 6, 3, stride=2, padding=1, groups=6, bias=False),
    "large kernel": lambda: nn.Conv2d(6, 6, 5, padding=2, groups=6, bias=False),
    "bias": lambda: nn.Conv2d(6, 6, 7, padding=3, groups=6),
    "two outputs a channel": lambda: nn.Conv2d(6, 12, 5, padding=2, dilation=1, groups=6),
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def widened(convolution: nn.Conv2d) -> nn.Sequential:
    network = nn.Sequential(copy.deepcopy(convolution))
    widen_depthwise_gradients(network)
    assert isinstance(network[0], DepthwiseConvolution)
    return network


def gradients(network: nn.Module, inputs: Tensor, bfloat16: bool) -> tuple[Tensor, list[Tensor]]:
    """Return what the network puts out, and the gradients of its input and its weights."""
    inputs = inputs.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        outputs = network(inputs)
    pattern = torch.linspace(-1, 1, outputs.numel()).reshape(outputs.shape)
    (outputs.float() * pattern).sum().backward()
    found = [inputs.grad, *[weight.grad for weight in network.parameters()]]
    return outputs, [gradient for gradient in found if gradient is not None]


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("size", [7, 12])
def test_float32_is_what_torch_computes(name: str, size: int) -> None:
    plain = CONVOLUTIONS[name]()
    inputs = torch.randn(3, 6, size, size)
    right, right_gradients = gradients(nn.Sequential(plain), inputs, bfloat16=False)
    outputs, found = gradients(widened(plain), inputs, bfloat16=False)
    torch.testing.assert_close(outputs, right, rtol=0, atol=0)
    torch.testing.assert_close(found, right_gradients)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_bfloat16_puts_out_the_same_and_its_gradients_are_closer_to_the_truth(name: str) -> None:
    plain = CONVOLUTIONS[name]()
    inputs = torch.randn(3, 6, 12, 12).bfloat16().float()
    with torch.no_grad():
        plain.weight.copy_(plain.weight.bfloat16())
    _, truth = gradients(nn.Sequential(copy.deepcopy(plain)), inputs, bfloat16=False)
    right, narrow = gradients(nn.Sequential(copy.deepcopy(plain)), inputs, bfloat16=True)
    outputs, wide = gradients(widened(plain), inputs, bfloat16=True)
    assert outputs.dtype == torch.bfloat16
    torch.testing.assert_close(outputs, right, rtol=0, atol=0)

    def error(found: list[Tensor]) -> float:
        return sum(float((a - b).norm() / b.norm()) for a, b in zip(found, truth, strict=True))

    assert len(wide) == len(truth)
    assert error(wide) <= error(narrow) + 1e-6


def test_a_network_keeps_the_names_of_its_weights_and_its_predictions() -> None:
    plain = get_encoder("tu-tf_efficientnet_lite0", in_channels=1, depth=4, weights=None).eval()
    network = copy.deepcopy(plain)
    widen_depthwise_gradients(network)
    assert list(network.state_dict()) == list(plain.state_dict())
    inputs = torch.randn(1, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(inputs), plain(inputs), rtol=0, atol=0)


def test_convolutions_that_are_fast_already_or_standardise_their_weights_stay() -> None:
    class Standardised(nn.Conv2d):
        pass

    fast = nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.Conv2d(6, 6, 5), nn.Conv2d(1, 6, 3, stride=2)
    network = nn.Sequential(*fast, Standardised(6, 6, 5, groups=6))
    widen_depthwise_gradients(network)
    assert not any(isinstance(module, DepthwiseConvolution) for module in network.modules())
