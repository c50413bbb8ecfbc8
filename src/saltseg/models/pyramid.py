"""A small network trained from scratch, after the 15th place's of 8 MB."""

import torch
from segmentation_models_pytorch.base.modules import SCSEModule
from torch import Tensor, nn
from torch.nn import functional

from saltseg.config.model_definitions import PyramidModel
from saltseg.models.fast.resizing import resized
from saltseg.models.outputs import Outputs
from saltseg.models.pooling import PyramidPooling


class PyramidNetwork(nn.Module):
    """Three sizes of residual blocks, dilated at the smallest; pyramid pooling; guided upsampling.

    Each stage ends in concurrent spatial and channel squeeze and excitation (Roy et al. 2018). An
    input of 129 px becomes 65 and 33, so that upsampling with aligned corners is exact. With 32
    filters and dilations 1, 2, 4, 8 the weights take 7.6 MB (the 15th place's: 8 MB). Otherwise
    only the list of its parts is known; the way they are joined here is ours.
    """

    def __init__(self, definition: PyramidModel) -> None:
        """Build the network of a definition."""
        super().__init__()
        full, half, quarter = (definition.filters * factor for factor in (1, 2, 4))
        self.stage_full = _stage(len(definition.input.channels), full, 1, [1])
        self.stage_half = _stage(full, half, 2, [1, 1])
        self.stage_quarter = _stage(half, quarter, 2, definition.dilations)
        self.pooling = PyramidPooling(quarter)
        self.rise_half = GuidedUpsampling(quarter, half)
        self.join_half = _stage(quarter + half, half, 1, [])
        self.rise_full = GuidedUpsampling(half, full)
        self.join_full = _stage(half + full, full, 1, [])
        self.head = nn.Conv2d(full, 1, 1)

    def forward(self, images: Tensor) -> Outputs:
        """Map (n, channels, h, w) to logits (n, 1, h, w)."""
        full = self.stage_full(images)
        half = self.stage_half(full)
        features = self.pooling(self.stage_quarter(half))
        features = self.join_half(torch.cat([self.rise_half(features, half), half], dim=1))
        features = self.join_full(torch.cat([self.rise_full(features, full), full], dim=1))
        return Outputs(self.head(features))


class DilatedBlock(nn.Module):
    """A residual block (He 2016a) whose convolutions are dilated (Yu & Koltun 2016)."""

    def __init__(self, width: int, dilation: int) -> None:
        """Build for `width` channels in and out."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, width, h, w) to the same shape."""
        return functional.relu(features + self.body(features))


class GuidedUpsampling(nn.Module):
    """Bilinear upsampling whose sampling points are shifted by a guide (Mazzini 2018).

    The guide shifts them by a few pixels of the small map to keep boundaries sharp. It is
    initialised to zero, which is plain upsampling.
    """

    def __init__(self, inputs: int, guides: int) -> None:
        """Build for features of `inputs` channels, guided by larger ones of `guides` channels."""
        super().__init__()
        self.guide = nn.Conv2d(inputs + guides, 2, 3, padding=1)
        for parameter in self.guide.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: Tensor, guide: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to the height and width of `guide`, (n, guides, H, W)."""
        height, width = guide.shape[-2:]
        plain = resized(features, guide.shape[-2:], align_corners=True)
        moved = self.guide(torch.cat([plain, guide], dim=1)).float().permute(0, 2, 3, 1)
        # grid_sample has coordinates from -1 to 1; the guide is in pixels of the small map.
        rows, columns = features.shape[-2:]
        pixel = moved.new_tensor([2 / max(columns - 1, 1), 2 / max(rows - 1, 1)])
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


def _stage(inputs: int, width: int, stride: int, dilations: list[int]) -> nn.Sequential:
    """A convolution to `width` channels, a residual block for each dilation, scSE."""
    return nn.Sequential(
        nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        *[DilatedBlock(width, dilation) for dilation in dilations],
        SCSEModule(width),
    )
