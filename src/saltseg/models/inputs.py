"""From crops to a network's input and back: padding, resizing, channels."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from saltseg.config.model_definitions import Input
from saltseg.models.fast.resizing import resized

DEPTH_RANGE = (50.0, 959.0)
"""Smallest and largest depth in feet of the competition's 22,000 crops."""

Offset = tuple[int, int]
"""Rows above the crop and columns left of it, in the padded input."""


def channel(name: str, images: Tensor, depth: Tensor, mean: float, std: float) -> Tensor:
    """Make one input channel, float (n, h, w).

    images: float (n, h, w) in 0..1, of the input size, so that padding has coordinates too;
    depth: float (n,) in feet; mean, std: of the grey values.
    `depth`: relative, (z - zmin) / (zmax - zmin), as the 28th place used. `row`, `column`:
    CoordConv (Liu et al. 2018), in -1..1. `image_row`: the image times its row in 0..1, the third
    channel of many public solutions, called depth there.
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


def random_offsets(definition: Input, shape: torch.Size, count: int) -> list[Offset]:
    """Draw a random offset for each crop of `shape` from torch's global generator, as dropout does.

    Source: the random padding of the 4th place.
    """
    height, width = _padded_shape(definition, shape)
    tops = torch.randint(definition.size - height + 1, (count,)).tolist()
    lefts = torch.randint(definition.size - width + 1, (count,)).tolist()
    return list(zip(tops, lefts, strict=True))


def fit(images: Tensor, definition: Input, offsets: Sequence[Offset]) -> Tensor:
    """Bring (n, c, h, w) to the input size: padded on all sides, resized, or as it is.

    offsets: of each crop, or one for all.
    """
    if definition.fit == "none":
        return images
    if definition.fit == "resize":
        return resized(images, (definition.size, definition.size))
    if definition.resized:
        images = resized(images, (definition.resized, definition.resized))
    parts = zip(_parts(images, offsets), offsets, strict=True)
    return torch.cat([_pad(part, definition, offset) for part, offset in parts])


def _parts(values: Tensor, offsets: Sequence[Offset]) -> Sequence[Tensor]:
    """Return each crop, or all where one offset is theirs: then any number can be exported."""
    return [values] if len(offsets) == 1 else values.split(1)


def _pad(images: Tensor, definition: Input, offset: Offset) -> Tensor:
    height, width = images.shape[-2:]
    top, left = offset
    padding = (left, definition.size - width - left, top, definition.size - height - top)
    mode = "reflect" if definition.fit == "reflect" else "replicate"
    return functional.pad(images, padding, mode=mode)


def unfit(
    logits: Tensor, definition: Input, offsets: Sequence[Offset], shape: torch.Size
) -> Tensor:
    """Bring logits of the input size back to the crop's: the inverse of `fit`."""
    height, width = shape
    if definition.pads:
        parts = zip(_parts(logits, offsets), offsets, strict=True)
        inner = _padded_shape(definition, shape)
        logits = torch.cat([_cut(part, inner, offset) for part, offset in parts])
    if definition.fit == "resize" or definition.resized:
        return resized(logits, (height, width))
    return logits


def _cut(logits: Tensor, shape: tuple[int, int], offset: Offset) -> Tensor:
    height, width = shape
    top, left = offset
    return logits[..., top : top + height, left : left + width]


def _padded_shape(definition: Input, shape: torch.Size) -> tuple[int, int]:
    """Return height and width before padding: the crop's own, or those it is resized to."""
    height, width = shape
    return definition.resized or height, definition.resized or width
