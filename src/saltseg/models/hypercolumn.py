"""Heads that predict from all decoder levels together (Hariharan et al. 2015)."""

import torch
from torch import Tensor, nn

from saltseg.models.fast.resizing import resized


class ConcatenatedHypercolumn(nn.Module):
    """All levels upsampled to the last one's size and concatenated: the 1st place's head."""

    def __init__(self, widths: list[int]) -> None:
        """Build for levels of these widths, the deepest first; the last sets the head's own."""
        super().__init__()
        self.join = nn.Conv2d(sum(widths), widths[-1], 3, padding=1)
        self.head = _head(widths[-1])

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

    def __init__(self, widths: list[int]) -> None:
        """Build for levels of these widths, the deepest first; the last sets the head's own."""
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(width, widths[-1], 3, padding=1) for width in widths)
        self.head = _head(widths[-1])

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


def _head(width: int) -> nn.Sequential:
    return nn.Sequential(nn.ELU(inplace=True), nn.Conv2d(width, 1, 1))
