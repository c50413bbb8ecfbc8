"""The schema of model definitions: what a network is, and how a crop becomes its input."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from saltseg.config.schema import AtLeastOne, Count, Float, Section

CROP = 101
"""Height and width of a crop in pixels."""

DEEPEST = 100_000
"""Feet that a depth may have: more than twice the deepest hole."""


class Input(Section):
    """How a crop becomes a network's input."""

    fit: Literal["reflect", "edge", "resize", "none"]
    """Pad by mirroring, pad by repeating the border, resize, or take the 101 px as they are."""
    resized: Count
    """Before it is padded, resize the crop to this height and width; 0 pads it as it is."""
    size: AtLeastOne
    """Height and width of the network's input in pixels."""
    offset: Literal["centre", "random"]
    """Pad around the crop or, in training, put each crop anywhere in its padding."""
    channels: list[Literal["image", "depth", "row", "column", "image_row"]] = Field(min_length=1)
    """The network's input channels, in order; `image` may be repeated."""

    @property
    def pads(self) -> bool:
        """Whether the crop is padded."""
        return self.fit in ("reflect", "edge")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check what several fields say together."""
        inner = self.resized or CROP
        if self.resized and not self.pads:
            raise ValueError(f"resized: {self.fit} pads nothing; set resized to 0")
        if self.offset == "random" and not self.pads:
            raise ValueError(f"offset: {self.fit} pads nothing; set offset to centre")
        if self.fit == "none" and self.size != CROP:
            raise ValueError(f"size: fit none leaves {CROP} px, not {self.size}")
        if self.pads and self.size < inner:
            raise ValueError(f"size: {self.size} px do not hold the {inner} px that are padded")
        self._check_mirror(inner)
        return self

    def _check_mirror(self, inner: int) -> None:
        """A mirror image reaches as far as the crop is wide, less the border itself."""
        most = inner + (inner - 1) * (1 if self.offset == "random" else 2)
        if self.fit == "reflect" and self.size > most:
            raise ValueError(f"size: {inner} px mirror to {most} at most; raise resized")


class Stem(Section):
    """Changes to an encoder's first layers, which keep more detail at more cost."""

    convolution: Literal["own", "3x3"]
    """First convolution: the encoder's own, or of 3x3, drawn at random."""
    stride: Literal["own", "one"]
    """Stride of the first convolution: the encoder's own, or one."""
    pooling: Literal["own", "stride_one", "none"]
    """First pooling: the encoder's own, with stride one, or none."""


class UnetModel(Section):
    """A U-Net of segmentation-models-pytorch on an encoder that is pretrained or not."""

    architecture: Literal["unet"]
    """Family of the network."""
    encoder: str
    """Name of the encoder, as segmentation-models-pytorch and timm know it."""
    weights: str
    """`packaged`, `none`, a hub's name like `imagenet`, or a .safetensors file below weights/."""
    decoder_channels: list[AtLeastOne] = Field(min_length=3, max_length=5)
    """Channels of each decoder level, deepest first; as many as encoder levels are used."""
    stem: Stem
    """Changes to the encoder's first layers."""
    centre: Literal["none", "attention", "pyramid"]
    """Between encoder and decoder: nothing, feature pyramid attention, or pyramid pooling."""
    scse: bool
    """Concurrent spatial and channel squeeze and excitation in the decoder."""
    encoder_scse: bool
    """The same after each stage of the encoder but the first."""
    hypercolumn: Literal["none", "concatenated", "summed"]
    """Predict from the last decoder level alone, or from all: joined wide, or summed narrow."""
    empty_head: bool
    """Predict from the deepest features whether a crop is empty; trained by `empty_mask`."""
    deep_supervision: bool
    """Predict from each decoder level in training; trained by the loss `deep_supervision`."""
    input: Input
    """How a crop becomes the network's input."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check what several fields say together."""
        if self.scse and min(self.decoder_channels) < 16:
            raise ValueError("scse: needs decoder_channels of 16 or more")
        if self.weights.startswith("models:/"):
            raise ValueError(
                f"weights: {self.weights} may be another model tomorrow; run 'saltseg weights"
                f" {self.weights}', which keeps its weights as a file, and name that"
            )
        return self


class ClassUnetModel(Section):
    """A U-Net of the class and capstone reports, whose odd sizes come back without resizing."""

    architecture: Literal["class_unet"]
    """Family of the network."""
    blocks: Literal["plain", "residual", "preactivated"]
    """Two convolutions a level, or two residual blocks, normalised after or before activation."""
    filters: AtLeastOne
    """Channels of the first level; each deeper level has twice as many."""
    dropout: Annotated[Float, Field(ge=0, lt=1)]
    """Share dropped after each level; half of it after the first."""
    input: Input
    """How a crop becomes the network's input."""


class PlainCnnModel(Section):
    """Convolutions one after the other, without pooling: what a U-Net has to beat."""

    architecture: Literal["plain_cnn"]
    """Family of the network."""
    filters: AtLeastOne
    """Channels of each layer."""
    layers: AtLeastOne
    """Number of 3x3 convolutions."""
    input: Input
    """How a crop becomes the network's input."""


class PyramidModel(Section):
    """The small network of the 15th place: dilated blocks, pyramid pooling, guided upsampling."""

    architecture: Literal["pyramid"]
    """Family of the network."""
    filters: Annotated[int, Field(ge=16)]
    """Channels at full size; twice as many at half size, four times at a quarter."""
    dilations: list[AtLeastOne] = Field(min_length=1)
    """Dilation of each residual block at a quarter of the size."""
    input: Input
    """How a crop becomes the network's input."""


ModelDefinition = Annotated[
    UnetModel | ClassUnetModel | PlainCnnModel | PyramidModel, Field(discriminator="architecture")
]
