"""The U-Nets of the class and capstone reports, which restore odd sizes without resizing."""

import torch
from torch import Tensor, nn

from saltseg.config.model_definitions import ClassUnetModel
from saltseg.models.outputs import Outputs


class ClassUnet(nn.Module):
    """Four levels down and up again, each of two convolutions or two residual blocks.

    From 101 px the sizes are 101, 50, 25, 12, 6. To restore them, transposed convolutions are
    "valid" (2n + 1) where a pooling dropped a pixel and "same" (2n) elsewhere.
    Source: the class report's plain and residual U-Nets and the capstone report's (16 filters,
    dropout 0.25 after the first level, else 0.5). Other details follow the public kernels behind
    the reports: a convolution without activation expands a level of residual blocks to its width,
    and a pre-activated level ends in normalisation and ReLU.
    """

    def __init__(self, definition: ClassUnetModel) -> None:
        """Build the network of a definition, for crops of its input's size."""
        super().__init__()
        filters, dropout = definition.filters, definition.dropout
        level_of = LEVELS[definition.blocks]
        widths = [filters * 2**level for level in range(5)]
        inputs = [len(definition.input.channels), *widths[:4]]
        self.down = nn.ModuleList(level_of(i, o) for i, o in zip(inputs, widths, strict=True))
        self.pool = nn.MaxPool2d(2)
        shares = [dropout / 2, dropout, dropout, dropout]
        self.drop = nn.ModuleList(nn.Dropout(share) for share in shares)
        self.rise = nn.ModuleList(
            transposed_convolution(
                widths[level + 1], widths[level], valid=definition.input.size >> level & 1 == 1
            )
            for level in range(4)
        )
        self.up = nn.ModuleList(level_of(2 * width, width) for width in widths[:4])
        self.up_drop = nn.Dropout(dropout)
        self.head = nn.Conv2d(filters, 1, 1)

    def forward(self, images: Tensor) -> Outputs:
        """Map (n, channels, size, size) to logits (n, 1, size, size)."""
        skips: list[Tensor] = []
        features = images
        for level in range(4):
            skips.append(self.down[level](features))
            features = self.drop[level](self.pool(skips[level]))
        features = self.down[4](features)
        for level in reversed(range(4)):
            joined = torch.cat([self.rise[level](features), skips[level]], dim=1)
            features = self.up[level](self.up_drop(joined))
        return Outputs(self.head(features))


class ResidualBlock(nn.Module):
    """Convolution, normalisation, ReLU, convolution, normalisation, added; ReLU (He 2016a)."""

    def __init__(self, width: int) -> None:
        """Build for `width` channels in and out."""
        super().__init__()
        self.body = nn.Sequential(
            convolution(width, width),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            convolution(width, width),
            nn.BatchNorm2d(width),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, width, h, w) to the same shape."""
        return nn.functional.relu(features + self.body(features))


class PreactivatedBlock(nn.Module):
    """Twice normalisation, ReLU, convolution; added (He 2016b)."""

    def __init__(self, width: int) -> None:
        """Build for `width` channels in and out."""
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            convolution(width, width),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            convolution(width, width),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, width, h, w) to the same shape."""
        added: Tensor = features + self.body(features)
        return added


def plain_level(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions, each followed by a ReLU."""
    return nn.Sequential(
        convolution(inputs, outputs),
        nn.ReLU(inplace=True),
        convolution(outputs, outputs),
        nn.ReLU(inplace=True),
    )


def residual_level(inputs: int, outputs: int) -> nn.Sequential:
    """A convolution to the level's width and two residual blocks."""
    blocks = [ResidualBlock(outputs) for _ in range(2)]
    return nn.Sequential(convolution(inputs, outputs), *blocks)


def preactivated_level(inputs: int, outputs: int) -> nn.Sequential:
    """A convolution to the level's width, two pre-activated blocks, normalisation and ReLU."""
    blocks = [PreactivatedBlock(outputs) for _ in range(2)]
    ending = [nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(convolution(inputs, outputs), *blocks, *ending)


LEVELS = {"plain": plain_level, "residual": residual_level, "preactivated": preactivated_level}


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def transposed_convolution(inputs: int, outputs: int, valid: bool) -> nn.ConvTranspose2d:
    """A 3x3 transposed convolution of stride 2: n to 2n + 1 ("valid") or to 2n ("same")."""
    if valid:
        return nn.ConvTranspose2d(inputs, outputs, 3, stride=2)
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
