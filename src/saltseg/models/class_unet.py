"""The plain U-Net of the class report: 101 px in, 101 px out, nothing padded or resized."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ClassUnet(nn.Module):
    """Four levels of two convolutions each, down to 6 px.

    The sizes 101, 50, 25, 12, 6 come back because the transposed convolutions are "valid"
    (2n + 1) where a pooling lost a pixel and "same" (2n) where it did not.
    Source: the class report's U-Net (16 filters, dropout .25 after the first level, else .5).
    """

    def __init__(self, channels: int, filters: int, dropout: float) -> None:
        """Build for `channels` input channels and `filters` channels on the first level."""
        super().__init__()
        widths = [filters * 2**level for level in range(5)]
        inputs = [channels, *widths[:4]]
        self.down = nn.ModuleList(
            double_convolution(i, o) for i, o in zip(inputs, widths, strict=True)
        )
        self.pool = nn.MaxPool2d(2)
        shares = [dropout / 2, dropout, dropout, dropout]
        self.drop = nn.ModuleList(nn.Dropout(share) for share in shares)
        self.rise = nn.ModuleList(
            transposed_convolution(widths[level + 1], widths[level], valid=level in (0, 2))
            for level in range(4)
        )
        self.up = nn.ModuleList(double_convolution(2 * width, width) for width in widths[:4])
        self.up_drop = nn.Dropout(dropout)
        self.head = nn.Conv2d(filters, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, channels, 101, 101) to logits (n, 1, 101, 101)."""
        skips: list[Tensor] = []
        features = images
        for level in range(4):
            skips.append(self.down[level](features))
            features = self.drop[level](self.pool(skips[level]))
        features = self.down[4](features)
        for level in reversed(range(4)):
            joined = torch.cat([self.rise[level](features), skips[level]], dim=1)
            features = self.up[level](self.up_drop(joined))
        logits: Tensor = self.head(features)
        return logits


def double_convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions, each followed by a ReLU."""
    layers: Sequence[nn.Module] = (
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )
    return nn.Sequential(*layers)


def transposed_convolution(inputs: int, outputs: int, valid: bool) -> nn.ConvTranspose2d:
    """A 3x3 transposed convolution of stride 2: n to 2n + 1 ("valid") or to 2n ("same")."""
    if valid:
        return nn.ConvTranspose2d(inputs, outputs, 3, stride=2)
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
