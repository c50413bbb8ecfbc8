"""Decoders of the best solutions, for encoders of segmentation-models-pytorch."""

from collections.abc import Sequence

import torch
from segmentation_models_pytorch.base.modules import SCSEModule
from torch import Tensor, nn

from saltseg.config.model_definitions import UnetModel


class TransposedLevel(nn.Module):
    """A transposed convolution, the skip connection, a convolution: the 1st place's ResNeXt-50."""

    def __init__(self, inputs: int, skip: int, width: int, scse: bool) -> None:
        """Build for `inputs` channels from below, `skip` from the encoder, and `width` out."""
        super().__init__()
        rise = nn.ConvTranspose2d(inputs, width, 4, stride=2, padding=1, bias=False)
        join = nn.Conv2d(width + skip, width, 3, padding=1, bias=False)
        self.rise = nn.Sequential(rise, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.join = nn.Sequential(join, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.attention = _attention(width, scse)

    def forward(
        self, features: Tensor, height: int, width: int, skip_connection: Tensor | None = None
    ) -> Tensor:
        """Map (n, inputs, h, w) to (n, width, height, width), where 2h >= height, 2w >= width."""
        risen = self.rise(features)[..., :height, :width]
        if skip_connection is not None:
            risen = torch.cat([risen, skip_connection], dim=1)
        joined: Tensor = self.attention(self.join(risen))
        return joined


class FusedLevel(nn.Module):
    """A transposed convolution beside a projected skip connection: the 1st place's ResNet-34.

    Each gives half of the channels; no convolution follows, which makes the level light.
    """

    def __init__(self, inputs: int, skip: int, width: int, scse: bool) -> None:
        """Build for `inputs` channels from below, `skip` from the encoder, and `width` out."""
        super().__init__()
        self.rise = nn.ConvTranspose2d(inputs, width // 2, 2, stride=2)
        self.project = nn.Conv2d(skip, width - width // 2, 1, bias=False)
        self.normalise = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.attention = _attention(width, scse)

    def forward(self, features: Tensor, height: int, width: int, skip_connection: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, width, height, width), where 2h >= height, 2w >= width."""
        risen = self.rise(features)[..., :height, :width]
        fused = torch.cat([risen, self.project(skip_connection)], dim=1)
        attended: Tensor = self.attention(self.normalise(fused))
        return attended


class Decoder(nn.Module):
    """Levels in the form of smp's decoder: `center`, then `blocks`, the deepest first."""

    def __init__(self, levels: Sequence[nn.Module]) -> None:
        """Hold the levels."""
        super().__init__()
        self.center = nn.Identity()
        self.blocks = nn.ModuleList(levels)


def create_decoder(definition: UnetModel, inputs: int, encoder: Sequence[int]) -> Decoder:
    """Build the transposed or fused decoder of a definition.

    inputs: channels of the centre; encoder: channels of the image and of each of its stages.
    Transposed levels read every stage but the deepest, and the last level none; fused ones read
    every stage from the deepest to the second.
    """
    widths = definition.decoder_channels
    below = [inputs, *widths[:-1]]
    fused = definition.decoder == "fused"
    level: type[FusedLevel | TransposedLevel] = FusedLevel if fused else TransposedLevel
    skips = encoder[:1:-1] if fused else [*encoder[-2:0:-1], 0]
    sizes = zip(below, skips, widths, strict=True)
    return Decoder([level(*each, definition.scse) for each in sizes])


def _attention(width: int, scse: bool) -> nn.Module:
    return SCSEModule(width, reduction=min(16, width)) if scse else nn.Identity()
