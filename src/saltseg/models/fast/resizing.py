"""Bilinear resizing that is deterministic and fast, on a GPU too."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


def resized(features: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Resize (n, channels, h, w) bilinearly to `size` (height, width).

    align_corners: align the centres of the corner pixels (True) or their outer corners (False).
    """
    if features.is_cuda:
        changed: Tensor = Resizing.apply(features, size, align_corners)
        return changed
    return functional.interpolate(
        features, tuple(size), mode="bilinear", align_corners=align_corners
    )


class Resizing(torch.autograd.Function):
    """torch's own kernel forward; backward, one matrix product for each direction.

    The kernel's backward pass sums in no fixed order on a GPU. In deterministic mode torch replaces
    both passes by gathers and sorted sums, which move several times as much memory.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  # torch's context takes any attribute
        features: Tensor,
        size: Sequence[int],
        align_corners: bool,
    ) -> Tensor:
        """Resize; see `resized`."""
        ctx.shape, ctx.size, ctx.align_corners = features.shape, size, align_corners
        return _bilinear(features, size, align_corners)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        """Return the gradient of the features."""
        count, channels, height, width = ctx.shape
        rows = _weights(height, ctx.size[0], ctx.align_corners, gradient)
        columns = _weights(width, ctx.size[1], ctx.align_corners, gradient)
        # Channels last, as in the networks, so that only the products copy memory.
        lines = gradient.permute(0, 2, 3, 1).reshape(count, ctx.size[0], ctx.size[1] * channels)
        lines = (rows.T @ lines).view(count * height, ctx.size[1], channels)
        small = (columns.T @ lines).view(count, height, width, channels)
        return small.permute(0, 3, 1, 2), None, None


def _weights(small: int, large: int, align_corners: bool, like: Tensor) -> Tensor:
    """Return the interpolation weights from `small` to `large` positions, (large, small)."""
    unit = torch.eye(small, dtype=like.dtype, device=like.device)
    return _bilinear(unit[None, None], (large, small), align_corners)[0, 0]


def _bilinear(features: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    changed: Tensor = torch.ops.aten.upsample_bilinear2d(features, list(size), align_corners)
    return changed
