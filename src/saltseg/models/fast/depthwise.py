"""Depthwise convolutions with float32 gradients, which oneDNN computes slowly in bfloat16."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from saltseg.models.fast.timm_layers import is_plain_convolution, is_timm_layer

FAST_KERNEL = 3
"""Largest kernel for which oneDNN has fast gradients in bfloat16, at stride one."""


def widen_depthwise_gradients(network: nn.Module) -> None:
    """Make the slow depthwise convolutions of a network compute gradients in float32, in place.

    In bfloat16 oneDNN computes the input gradient at stride two, and the weight gradient of 5x5
    kernels, by scalar loops: 40 % of a training step of EfficientNet-Lite 0 on two cores. Neither
    the names of the weights nor the network's output change.
    """
    for path, module in list(network.named_modules()):
        if is_plain_convolution(module) and _is_slow(module):
            network.set_submodule(path, DepthwiseConvolution(module))


def _is_slow(convolution: nn.Conv2d) -> bool:
    depthwise = convolution.groups == convolution.in_channels > 1
    slow = max(convolution.stride) > 1 or max(convolution.kernel_size) > FAST_KERNEL
    return depthwise and slow and not isinstance(convolution.padding, str)


class Geometry(NamedTuple):
    """The arguments of a convolution, in torch's order."""

    stride: list[int]
    padding: list[int]
    dilation: list[int]
    groups: int


class StandIn(nn.Module):
    """A replacement for a convolution, with the same weights, weight names and geometry."""

    weight: Tensor
    bias: Tensor | None
    same: bool
    geometry: Geometry

    def __init__(self, convolution: "nn.Conv2d | StandIn") -> None:
        """Take over the weights of `convolution`, and its padding, timm's `same` included."""
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        if isinstance(convolution, StandIn):
            self.same, self.geometry = convolution.same, convolution.geometry
            return
        self.same = is_timm_layer(convolution, "Conv2dSame")
        self.geometry = Geometry(
            list(convolution.stride),
            [0, 0] if self.same else [int(pad) for pad in convolution.padding],
            list(convolution.dilation),
            convolution.groups,
        )

    def pad(self, inputs: Tensor) -> Tensor:
        """Apply `same` padding, which the geometry does not include."""
        if not self.same:
            return inputs
        from timm.layers.padding import pad_same

        _, _, *kernel = self.weight.shape
        return pad_same(inputs, kernel, self.geometry.stride, self.geometry.dilation)


class DepthwiseConvolution(StandIn):
    """A depthwise convolution with gradients in float32 on a CPU, whatever autocast says."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, c', h', w'), like the convolution that it replaces."""
        inputs = self.pad(inputs)
        if inputs.device.type != "cpu" or not torch.is_grad_enabled():
            return nn.functional.conv2d(inputs, self.weight, self.bias, *self.geometry)
        outputs: Tensor = _WideGradients.apply(inputs, self.weight, self.bias, self.geometry)
        return outputs


class _WideGradients(torch.autograd.Function):
    """conv2d, its gradients computed in float32."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  # torch's context takes any attribute
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        geometry: Geometry,
    ) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.geometry, ctx.bias = geometry, None if bias is None else bias.shape
        return nn.functional.conv2d(inputs, weight, bias, *geometry)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        inputs, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.geometry
        wide = [tensor.float() for tensor in (gradient, inputs, weight)]
        found = torch.ops.aten.convolution_backward(
            *wide,
            ctx.bias,
            stride,
            padding,
            dilation,
            False,  # not transposed
            [0, 0],
            groups,
            ctx.needs_input_grad[:3],
        )
        kinds = inputs.dtype, weight.dtype, weight.dtype
        narrow = [None if g is None else g.to(kind) for g, kind in zip(found, kinds, strict=True)]
        return *narrow, None
