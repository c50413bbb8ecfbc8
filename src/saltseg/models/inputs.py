"""From crops to a network's input and back: channels, padding, resizing."""

import torch
from torch import Tensor
from torch.nn import functional

from saltseg.definitions import Input

DEPTH_RANGE = (50.0, 959.0)
"""Least and greatest depth in feet of the competition's 22,000 crops."""

Offset = tuple[int, int]
"""Rows above the crop and columns left of it, in the padded input."""


def channel(name: str, images: Tensor, depth: Tensor, mean: float, std: float) -> Tensor:
    """Make one input channel, float (n, h, w).

    images: float (n, h, w) in 0..1; depth: float (n,) in feet; mean, std: of the grey values.
    `depth`: relative, (z - zmin) / (zmax - zmin) as the 28th place's. `row`, `column`: CoordConv
    (Liu et al. 2018), in -1..1. `image_row`: the image times its row in 0..1, the third channel of
    many public solutions, called depth there.
    """
    height, width = images.shape[-2:]
    if name == "depth":
        low, high = DEPTH_RANGE
        return ((depth - low) / (high - low))[:, None, None].expand_as(images)
    if name == "row":
        return torch.linspace(-1, 1, height, device=images.device)[:, None].expand_as(images)
    if name == "column":
        return torch.linspace(-1, 1, width, device=images.device).expand_as(images)
    standardised = (images - mean) / std
    if name == "image_row":
        return standardised * torch.linspace(0, 1, height, device=images.device)[:, None]
    return standardised


def centre(definition: Input, shape: torch.Size) -> Offset:
    """Return the offset of a crop of `shape` in the middle of the padding."""
    height, width = _padded_shape(definition, shape)
    return (definition.size - height) // 2, (definition.size - width) // 2


def random_offset(definition: Input, shape: torch.Size) -> Offset:
    """Draw the offset of a crop of `shape` in its padding from torch's generator, as dropout does.

    Source: the random padding of the 4th place.
    """
    height, width = _padded_shape(definition, shape)
    top = torch.randint(definition.size - height + 1, ())
    left = torch.randint(definition.size - width + 1, ())
    return int(top), int(left)


def fit(channels: Tensor, definition: Input, offset: Offset) -> Tensor:
    """Bring (n, c, h, w) to the input size: padded on all sides, resized, or as it is."""
    if definition.fit == "none":
        return channels
    if definition.fit == "resize":
        return _resize(channels, definition.size, definition.size)
    if definition.resized:
        channels = _resize(channels, definition.resized, definition.resized)
    height, width = channels.shape[-2:]
    top, left = offset
    padding = (left, definition.size - width - left, top, definition.size - height - top)
    mode = "reflect" if definition.fit == "reflect" else "replicate"
    return functional.pad(channels, padding, mode=mode)


def unfit(logits: Tensor, definition: Input, offset: Offset, shape: torch.Size) -> Tensor:
    """Bring logits of the input size back to the crop's: the inverse of `fit`."""
    height, width = shape
    if definition.pads:
        inner_height, inner_width = _padded_shape(definition, shape)
        top, left = offset
        logits = logits[..., top : top + inner_height, left : left + inner_width]
    if definition.fit == "resize" or definition.resized:
        return _resize(logits, height, width)
    return logits


def _padded_shape(definition: Input, shape: torch.Size) -> tuple[int, int]:
    """Return height and width of what is padded: the crop's own, or those it is resized to."""
    height, width = shape
    return definition.resized or height, definition.resized or width


def _resize(tensor: Tensor, height: int, width: int) -> Tensor:
    return functional.interpolate(tensor, (height, width), mode="bilinear", align_corners=False)
