"""The whole way of a crop: from grey values to logits of the same size."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from saltseg.params import Input


class SaltNetwork(nn.Module):
    """A segmentation network with everything between it and the crop.

    The crop is standardised, gets its further channels, is padded or resized to the input size of
    the network, and the logits are cut or resized back, so that training and prediction need not
    know which input a network takes.
    """

    def __init__(self, body: nn.Module, definition: Input, mean: float, std: float) -> None:
        """Wrap `body`, which maps (n, channels, size, size) to logits (n, 1, size, size)."""
        super().__init__()
        self.body = body
        self.definition = definition
        self.mean = mean
        self.std = std

    def forward(self, images: Tensor, depth: Tensor) -> Tensor:
        """Return logits, float (n, h, w).

        images: float (n, h, w) in 0..1; depth: float (n,) in feet.
        """
        channels = torch.stack([self._channel(c, images, depth) for c in self._names], dim=1)
        fitted = fit(channels, self.definition).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.body(fitted)
        return unfit(logits.float(), self.definition, images.shape[-2:])[:, 0]

    @property
    def _names(self) -> list[str]:
        return list(self.definition.channels)

    def _channel(self, name: str, images: Tensor, depth: Tensor) -> Tensor:
        """Make one input channel; row and column are CoordConv's (Liu et al. 2018), in -1..1."""
        height, width = images.shape[-2:]
        if name == "depth":
            return (depth / 1000)[:, None, None].expand_as(images)
        if name == "row":
            return torch.linspace(-1, 1, height, device=images.device)[:, None].expand_as(images)
        if name == "column":
            return torch.linspace(-1, 1, width, device=images.device).expand_as(images)
        return (images - self.mean) / self.std


def fit(channels: Tensor, definition: Input) -> Tensor:
    """Bring (n, c, h, w) to the input size: padded on all sides, resized, or as it is."""
    height, width = channels.shape[-2:]
    if definition.fit == "none":
        return channels
    if definition.fit == "resize":
        size = (definition.size, definition.size)
        return functional.interpolate(channels, size, mode="bilinear", align_corners=False)
    top, left = (definition.size - height) // 2, (definition.size - width) // 2
    padding = (left, definition.size - width - left, top, definition.size - height - top)
    mode = "reflect" if definition.fit == "reflect" else "replicate"
    return functional.pad(channels, padding, mode=mode)


def unfit(logits: Tensor, definition: Input, shape: torch.Size) -> Tensor:
    """Bring logits of the input size back to the crop's: the inverse of `fit`."""
    height, width = shape
    if definition.fit == "resize":
        return functional.interpolate(logits, (height, width), mode="bilinear", align_corners=False)
    top, left = (logits.shape[-2] - height) // 2, (logits.shape[-1] - width) // 2
    return logits[..., top : top + height, left : left + width]
