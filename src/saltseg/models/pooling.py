"""Context modules for the deepest features: pyramid pooling and feature pyramid attention."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from saltseg.models.fast.resizing import resized

BINS = (1, 2, 3, 6)
"""Numbers of cells along a side over which features are averaged."""


class PyramidPooling(nn.Module):
    """Features concatenated with their means over grids of cells (Zhao et al. 2017)."""

    def __init__(self, width: int, outputs: int | None = None) -> None:
        """Build for `width` channels in, and `outputs`, by default as many, out."""
        super().__init__()
        outputs = outputs or width
        branch = width // len(BINS)
        # The global mean has one value per crop, too few for batch normalisation.
        self.branches = nn.ModuleList(nn.Conv2d(width, branch, 1) for _ in BINS)
        self.join = nn.Sequential(
            nn.Conv2d(width + branch * len(BINS), outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, width, h, w) to (n, outputs, h, w)."""
        parts = [features]
        for bins, branch in zip(BINS, self.branches, strict=True):
            mean = functional.relu(branch(functional.adaptive_avg_pool2d(features, bins)))
            parts.append(_enlarged(mean, features))
        joined: Tensor = self.join(torch.cat(parts, dim=1))
        return joined


class PyramidAttention(nn.Module):
    """Feature pyramid attention: features weighted by their downsampled copies (Li et al. 2018).

    The 1st place's variant: two downsampled copies, and half as many output channels.
    """

    def __init__(self, width: int) -> None:
        """Build for `width` channels in and half as many out."""
        super().__init__()
        outputs = width // 2
        self.mean = nn.Conv2d(width, outputs, 1)
        self.own = _normalised(width, outputs, 1)
        self.shrink_once = _normalised(width, width, 5, stride=2)
        self.once = _normalised(width, outputs, 5)
        self.shrink_twice = _normalised(width, width, 3, stride=2)
        self.twice = _normalised(width, outputs, 3)

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, width, h, w) to (n, width // 2, h, w)."""
        once = self.shrink_once(features)
        twice = self.twice(self.shrink_twice(once))
        once = self.once(once)
        weights = _enlarged(once + _enlarged(twice, once), features)
        mean = self.mean(features.mean(dim=(2, 3), keepdim=True))
        attended: Tensor = self.own(features) * weights + mean
        return attended


def _normalised(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ELU(inplace=True),
    )


def _enlarged(small: Tensor, like: Tensor) -> Tensor:
    return resized(small, like.shape[-2:], align_corners=True)
