"""Heads that predict from all levels of a decoder together (Hariharan et al. 2015)."""

import torch
from torch import Tensor, nn

from saltseg.models.fast.resizing import resized


class ConcatenatedHypercolumn(nn.Module):
    """All levels enlarged to the last one's size and joined: the 1st place's head."""

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
    """Each level has the convolution at its own size; the sums are enlarged from level to level.

    As Hariharan et al. compute theirs: enlargement and convolution are both linear, and in this
    order nothing is wide where it is large. A training step costs up to a tenth more than without,
    where the concatenated form of a light encoder doubles it.
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
