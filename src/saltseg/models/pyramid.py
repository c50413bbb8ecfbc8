"""The 15th place's small network, trained from scratch: 8 MB."""

from collections.abc import Sequence

import torch
from segmentation_models_pytorch.base.modules import SCSEModule
from torch import Tensor, nn
from torch.nn import functional

from saltseg.config.model_definitions import PyramidModel
from saltseg.models.fast.resizing import resized
from saltseg.models.outputs import Outputs
from saltseg.models.pooling import PyramidPooling

BLOCKS = 3
"""Residual blocks of each stage."""


class PyramidNetwork(nn.Module):
    """Residual stages down to an eighth, dilated there; pyramid pooling; a U-shape up again.

    After each stage but the dilated ones comes concurrent spatial and channel squeeze and
    excitation (Roy et al. 2018). The pooled features also reach full size at once, by guided
    upsampling. An input of 129 px becomes 65, 33 and 17, so that upsampling with aligned corners
    is exact. Source: the authors' public code, from which this differs in that squeeze and
    excitation and the branches of the pooling have no batch normalisation.
    """

    def __init__(self, definition: PyramidModel) -> None:
        """Build the network of a definition."""
        super().__init__()
        width = definition.filters
        self.stage_full = _convolved(len(definition.input.channels), width)
        self.stage_half = _stage(width, width // 2, 2 * width, stride=2)
        self.stage_quarter = _stage(2 * width, width, 4 * width, stride=2)
        self.stage_eighth = _stage(4 * width, 2 * width, 8 * width, stride=2)
        self.dilated = _dilated(8 * width, 2 * width, definition.dilations)
        self.pooling = PyramidPooling(8 * width, 4 * width)
        self.attention = SCSEModule(4 * width, reduction=2)
        self.up_quarter = _stage(8 * width, width, 2 * width)
        self.up_half = _stage(4 * width, width // 2, width)
        self.up_full = _blocks(2 * width, width // 4, width // 2)
        self.guided = GuidedUpsampling(4 * width, width)
        self.shorten = _convolved(4 * width, width // 2, kernel=1)
        self.last_attention = SCSEModule(width // 2, reduction=2)
        self.dropout = nn.Dropout2d(definition.dropout) if definition.dropout else nn.Identity()
        self.head = nn.Conv2d(width // 2, 1, 1)
        self.side_head = _side_head(width, self.dropout) if definition.deep_supervision else None

    def forward(self, images: Tensor) -> Outputs:
        """Map (n, channels, h, w) to logits (n, 1, h, w), and in training those of the side."""
        full = self.stage_full(images)
        half = self.stage_half(full)
        quarter = self.stage_quarter(half)
        eighth = self.stage_eighth(quarter)
        pooled = self.pooling(self.dilated(eighth))
        up = self.up_quarter(_joined(quarter, self.attention(pooled)))
        up = self.up_half(_joined(half, up))
        up = self.up_full(_joined(full, up)) + self.shorten(self.guided(pooled, full))
        logits = self.head(self.dropout(self.last_attention(up)))
        return Outputs(logits, side=self._side(eighth, images.shape[-2:]))

    def _side(self, eighth: Tensor, size: Sequence[int]) -> Tensor | None:
        """Predict from the first features at an eighth, in training only (Zhao et al. 2017)."""
        if not self.training or self.side_head is None:
            return None
        return resized(self.side_head(eighth), size, align_corners=True)


class Bottleneck(nn.Module):
    """A residual block of three convolutions (He 2016a), dilated (Yu & Koltun 2016)."""

    def __init__(self, inputs: int, middle: int, outputs: int, stride: int, dilation: int) -> None:
        """Build for `inputs` channels in, `middle` inside and `outputs` out."""
        super().__init__()
        self.body = nn.Sequential(
            _convolved(inputs, middle, kernel=1),
            _convolved(middle, middle, stride=stride, dilation=dilation),
            *_normalised(middle, outputs),
        )
        own = (nn.Identity(),) if inputs == outputs else _normalised(inputs, outputs, stride)
        self.shortcut = nn.Sequential(*own)

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h / stride, w / stride), rounded up."""
        return functional.relu(self.body(features) + self.shortcut(features))


class GuidedUpsampling(nn.Module):
    """Bilinear upsampling whose sampling points are shifted by a guide (Mazzini 2018).

    The guide shifts them by a few pixels of the large map to keep boundaries sharp. It is
    initialised to zero, which is plain upsampling.
    """

    def __init__(self, inputs: int, guides: int) -> None:
        """Build for features of `inputs` channels, guided by larger ones of `guides` channels."""
        super().__init__()
        self.project = nn.Sequential(*_normalised(guides, inputs))
        self.spread = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, padding=2, dilation=2, bias=False),
            nn.BatchNorm2d(inputs),
        )
        self.guide = nn.Sequential(
            _convolved(inputs, inputs // 2),
            _convolved(inputs // 2, inputs // 4),
            nn.Conv2d(inputs // 4, 2, 3, padding=1),
        )
        for parameter in self.guide[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: Tensor, guide: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to the height and width of `guide`, (n, guides, H, W)."""
        height, width = guide.shape[-2:]
        plain = resized(features, guide.shape[-2:], align_corners=True)
        mixed = functional.relu(self.project(guide) + self.spread(plain))
        moved = self.guide(mixed).float().permute(0, 2, 3, 1)
        # grid_sample has coordinates from -1 to 1; the guide is in pixels of the large map.
        pixel = moved.new_tensor([2 / max(width - 1, 1), 2 / max(height - 1, 1)])
        return functional.grid_sample(
            features.float(),
            _grid(height, width, moved.device) + moved * pixel,
            padding_mode="border",
            align_corners=True,
        ).to(features.dtype)


def _grid(height: int, width: int, device: torch.device) -> Tensor:
    """Return x and y of each pixel in -1..1, float (height, width, 2)."""
    y = torch.linspace(-1, 1, height, device=device)[:, None].expand(height, width)
    x = torch.linspace(-1, 1, width, device=device).expand(height, width)
    return torch.stack([x, y], dim=-1)


def _joined(skip: Tensor, below: Tensor) -> Tensor:
    return torch.cat([skip, resized(below, skip.shape[-2:], align_corners=True)], dim=1)


def _stage(inputs: int, middle: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Residual blocks, of which the first changes size and width, and scSE."""
    return nn.Sequential(_blocks(inputs, middle, outputs, stride), SCSEModule(outputs, reduction=2))


def _blocks(
    inputs: int, middle: int, outputs: int, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    first = Bottleneck(inputs, middle, outputs, stride, dilation)
    others = [Bottleneck(outputs, middle, outputs, 1, dilation) for _ in range(BLOCKS - 1)]
    return nn.Sequential(first, *others)


def _dilated(width: int, middle: int, dilations: Sequence[int]) -> nn.Sequential:
    return nn.Sequential(*[_blocks(width, middle, width, 1, dilation) for dilation in dilations])


def _side_head(width: int, dropout: nn.Module) -> nn.Sequential:
    return nn.Sequential(_convolved(8 * width, width // 2), dropout, nn.Conv2d(width // 2, 1, 1))


def _convolved(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, normalisation and ReLU."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _normalised(inputs: int, outputs: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
