"""Heads that predict from all decoder levels together (Hariharan et al. 2015)."""

import torch
from torch import Tensor, nn

from saltseg.models.fast.resizing import resized


class ConcatenatedHypercolumn(nn.Module):
    """All levels upsampled to the last one's size and concatenated: the 1st place's head."""

    def __init__(self, widths: list[int], channels: int | None = None) -> None:
        """Build for levels of these widths, the deepest first, and a head of `channels`.

        channels: None takes the last level's width.
        """
        super().__init__()
        own = channels or widths[-1]
        self.join = nn.Conv2d(sum(widths), own, 3, padding=1)
        self.head = _head(own)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Map a decoder's levels, each (n, width, h, w), to logits (n, 1, h, w) of the last."""
        *smaller, last = levels
        enlarged = [resized(level, last.shape[-2:]) for level in smaller]
        logits: Tensor = self.head(self.join(torch.cat([*enlarged, last], dim=1)))
        return logits


class SummedHypercolumn(nn.Module):
    """Convolves each level at its own size, then upsamples and sums from level to level.

    As in Hariharan et al.: upsampling and convolution are both linear, and in this order no large
    feature map has many channels. A training step takes up to a tenth longer than without a
    hypercolumn; with a light encoder the concatenated form doubles it.
    """

    def __init__(self, widths: list[int], channels: int | None = None) -> None:
        """Build for levels of these widths, the deepest first, and a head of `channels`.

        channels: None takes the last level's width.
        """
        super().__init__()
        own = channels or widths[-1]
        self.levels = nn.ModuleList(nn.Conv2d(width, own, 3, padding=1) for width in widths)
        self.head = _head(own)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Map a decoder's levels, each (n, width, h, w), to logits (n, 1, h, w) of the last."""
        first, *rest = [
            convolution(level) for convolution, level in zip(self.levels, levels, strict=True)
        ]
        total = first
        for level in rest:
            total = level + resized(total, level.shape[-2:])
        logits: Tensor = self.head(total)
        return logits


class WideHead(nn.Sequential):
    """A prediction from the last level alone, through `channels` of its own."""

    def __init__(self, width: int, channels: int) -> None:
        """Build for a level of `width` channels."""
        super().__init__(nn.Conv2d(width, channels, 3, padding=1), _head(channels))


def _head(width: int) -> nn.Sequential:
    return nn.Sequential(nn.ELU(inplace=True), nn.Conv2d(width, 1, 1))
