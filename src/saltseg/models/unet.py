"""U-Nets of segmentation-models-pytorch with the additions of the best solutions."""

from collections.abc import Callable
from pathlib import Path

import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder
from torch import Tensor, nn

from saltseg.config.model_definitions import UnetModel
from saltseg.models.decoders import create_decoder
from saltseg.models.encoders import add_attention, change_stem, drop_unread_stages, is_known
from saltseg.models.fast.resizing import resized
from saltseg.models.hypercolumn import ConcatenatedHypercolumn, SummedHypercolumn, WideHead
from saltseg.models.outputs import Outputs
from saltseg.models.pooling import PyramidAttention, PyramidPooling
from saltseg.models.weights import load_pretrained
from saltseg.plumbing.errors import InputError

HYPERCOLUMNS = {"concatenated": ConcatenatedHypercolumn, "summed": SummedHypercolumn}
CENTRES: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda _: nn.Identity(),
    "attention": PyramidAttention,
    "pyramid": PyramidPooling,
}


class Unet(nn.Module):
    """The U-Net of a definition (Ronneberger et al. 2015, as implemented by smp).

    The additions are independent of each other, and none changes the random draws of the plain
    network's weights.
    """

    def __init__(self, definition: UnetModel, folder: Path | None) -> None:
        """Build the network. folder: of weight files; None skips pretrained weights.

        Raises InputError if the encoder, its weights or a change to it are not available.
        """
        super().__init__()
        channels = len(definition.input.channels)
        plain = _plain_unet(definition)
        if folder is not None:
            load_pretrained(plain.encoder, definition, folder)
        drop_unread_stages(plain.encoder)
        change_stem(plain.encoder, definition.stem, channels, definition.encoder)
        if definition.encoder_scse:
            add_attention(plain.encoder, channels, definition.encoder)
        self.encoder, self.decoder = plain.encoder, plain.decoder
        self.segmentation_head = plain.segmentation_head
        self.fused = definition.decoder == "fused"
        self.centre = self._centre(definition)
        if definition.decoder == "upsampled":
            # The last level has no skip connection, so smp applies no attention there.
            self.decoder.blocks[-1].attention1 = nn.Identity()
        self.hypercolumn = definition.hypercolumn != "none"
        self._change_head(definition)
        self.dropout = nn.Dropout2d(definition.dropout) if definition.dropout else nn.Identity()
        deepest, widths = self.encoder.out_channels[-1], definition.decoder_channels
        self.empty_head = nn.Linear(deepest, 1) if definition.empty_head else None
        sides = widths[:-1] if definition.deep_supervision else []
        self.side_heads = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in sides)

    def _change_head(self, definition: UnetModel) -> None:
        widths, channels = definition.decoder_channels, definition.head_channels
        if self.hypercolumn:
            self.segmentation_head = HYPERCOLUMNS[definition.hypercolumn](widths, channels)
        elif channels:
            self.segmentation_head = WideHead(widths[-1], channels)

    def _centre(self, definition: UnetModel) -> nn.Module:
        """Create the module between encoder and decoder, and a decoder that fits it."""
        *widths, deepest = self.encoder.out_channels
        outputs = deepest // 2 if definition.centre == "attention" else deepest
        if definition.decoder != "upsampled":
            self.decoder = create_decoder(definition, outputs, self.encoder.out_channels)
        elif definition.centre == "attention":
            self.decoder = UnetDecoder(
                encoder_channels=[*widths, outputs],
                decoder_channels=definition.decoder_channels,
                n_blocks=len(definition.decoder_channels),
                attention_type=_attention(definition),
            )
        centre = CENTRES[definition.centre](deepest)
        # The deepest stage itself is the skip connection of the first fused level.
        return nn.Sequential(centre, nn.MaxPool2d(2, ceil_mode=True)) if self.fused else centre

    def forward(self, images: Tensor) -> Outputs:
        """Map (n, channels, size, size) to logits (n, 1, size, size) and the heads' outputs."""
        features = self.encoder(images)
        skips = features if self.fused else features[:-1]
        levels = self._decode([*skips, self.centre(features[-1])])
        size = images.shape[-2:]
        return Outputs(
            self._logits(levels, size), self._empty(features[-1]), self._side(levels[:-1], size)
        )

    def _logits(self, levels: list[Tensor], size: torch.Size) -> Tensor:
        """Predict from all levels or the last; whole channels of any of them may be dropped."""
        if self.hypercolumn:
            logits: Tensor = self.segmentation_head([self.dropout(level) for level in levels])
        else:
            logits = self.segmentation_head(self.dropout(levels[-1]))
        # The last fused level is as large as the encoder's second stage.
        return logits if logits.shape[-2:] == size else resized(logits, size)

    def _decode(self, features: list[Tensor]) -> list[Tensor]:
        """Return the output of each decoder level, deepest first."""
        sizes = [feature.shape[-2:] for feature in features[-2::-1]]
        skips = [*features[-2:0:-1], None]
        levels = []
        level = self.decoder.center(features[-1])
        # Fused levels leave the last two sizes, those of the first stage and the image, unread.
        for block, (height, width), skip in zip(self.decoder.blocks, sizes, skips, strict=False):
            level = block(level, height, width, skip_connection=skip)
            levels.append(level)
        return levels

    def _empty(self, deepest: Tensor) -> Tensor | None:
        """Predict emptiness from the mean of the deepest features: the 4th place's head."""
        if self.empty_head is None:
            return None
        logits: Tensor = self.empty_head(deepest.mean(dim=(2, 3)))
        return logits[:, 0]

    def _side(self, levels: list[Tensor], size: torch.Size) -> Tensor | None:
        """Predict from each level but the last, in training only (Lee et al. 2015)."""
        if not self.training or not self.side_heads:
            return None
        sides = [head(level) for head, level in zip(self.side_heads, levels, strict=True)]
        return torch.cat([resized(side, size) for side in sides], dim=1)


def _plain_unet(definition: UnetModel) -> smp.Unet:
    if not is_known(definition.encoder):
        raise InputError(
            f"params.yaml: models: encoder {definition.encoder!r} is unknown to "
            "segmentation-models-pytorch; smp.encoders.get_encoder_names() lists its encoders, "
            "and tu-NAME selects one of timm's"
        )
    widths = definition.decoder_channels
    if definition.decoder == "fused":  # for the encoder's first stage, which no level reads
        widths = [*widths, widths[-1]]
    return smp.Unet(
        definition.encoder,
        encoder_depth=len(widths),
        encoder_weights=None,
        decoder_channels=widths,
        decoder_attention_type=_attention(definition),
        in_channels=len(definition.input.channels),
        classes=1,
    )


def _attention(definition: UnetModel) -> str | None:
    return "scse" if definition.scse and definition.decoder == "upsampled" else None
