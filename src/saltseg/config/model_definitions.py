"""The schema of model definitions: the network, and how a crop becomes its input."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from saltseg.config.schema import AtLeastOne, Count, Float, Section

Dropout = Annotated[Float, Field(ge=0, lt=1)]

CROP = 101
"""Height and width of a crop in pixels."""

DEEPEST = 100_000
"""Largest depth accepted, in feet: more than twice the deepest borehole."""


class Input(Section):
    """How a crop becomes a network's input."""

    fit: Literal["reflect", "edge", "resize", "none"]
    """Pad by mirroring, pad by repeating the border, resize, or use the 101 px as they are."""
    resized: Count
    """Height and width to resize the crop to before padding; 0 does not resize it."""
    size: AtLeastOne
    """Height and width of the network's input in pixels."""
    offset: Literal["centre", "random"]
    """Position of the crop in its padding: centred or, in training only, random."""
    channels: list[Literal["image", "depth", "row", "column", "image_row"]] = Field(min_length=1)
    """The network's input channels, in order; `image` may be repeated."""

    @property
    def pads(self) -> bool:
        """Whether the crop is padded."""
        return self.fit in ("reflect", "edge")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check how the fields fit together."""
        inner = self.resized or CROP
        if self.resized and not self.pads:
            raise ValueError(f"resized: fit {self.fit} does not pad; set resized to 0")
        if self.offset == "random" and not self.pads:
            raise ValueError(f"offset: fit {self.fit} does not pad; set offset to centre")
        if self.fit == "none" and self.size != CROP:
            raise ValueError(f"size: fit none keeps {CROP} px, not {self.size}")
        if self.pads and self.size < inner:
            raise ValueError(f"size: {self.size} px is less than the {inner} px before padding")
        self._check_mirror(inner)
        return self

    def _check_mirror(self, inner: int) -> None:
        """Reflection can pad by at most the crop's size minus the border pixel."""
        most = inner + (inner - 1) * (1 if self.offset == "random" else 2)
        if self.fit == "reflect" and self.size > most:
            raise ValueError(f"size: {inner} px reflect to at most {most} px; raise resized")


class InputSize(Section):
    """The size of the networks' input in one phase, in place of the definition's."""

    resized: Count
    """Height and width to resize the crop to before padding; 0 does not resize it."""
    size: AtLeastOne
    """Height and width of the input in pixels."""


class Stem(Section):
    """Changes to an encoder's first layers, which keep more detail at a higher cost."""

    convolution: Literal["own", "3x3"]
    """First convolution: the encoder's own, or a randomly initialised 3x3."""
    stride: Literal["own", "one"]
    """Stride of the first convolution: the encoder's own, or one."""
    pooling: Literal["own", "stride_one", "none"]
    """First pooling: the encoder's own, the same with stride one, or none."""


class UnetModel(Section):
    """A U-Net of segmentation-models-pytorch; its encoder may be pretrained."""

    architecture: Literal["unet"]
    """Family of the network."""
    encoder: str
    """Name of the encoder in segmentation-models-pytorch or, after `tu-`, in timm."""
    weights: str
    """`packaged`, `none`, a hub's name like `imagenet`, a .safetensors file below weights/, or
    `survey`, the model that comes with saltseg."""
    decoder_channels: list[AtLeastOne] = Field(min_length=3, max_length=5)
    """Channels of each decoder level, deepest first; their number sets the encoder's depth."""
    decoder: Literal["upsampled", "transposed", "fused"] = "upsampled"
    """Levels that upsample and convolve twice, that begin with a transposed convolution, or that
    only put a transposed convolution beside a projected skip connection, from the deepest on."""
    stem: Stem
    """Changes to the encoder's first layers."""
    centre: Literal["none", "attention", "pyramid"]
    """Between encoder and decoder: nothing, feature pyramid attention, or pyramid pooling."""
    scse: bool
    """Concurrent spatial and channel squeeze and excitation in the decoder."""
    encoder_scse: bool
    """The same after each encoder stage but the first."""
    hypercolumn: Literal["none", "concatenated", "summed"]
    """Predict from the last decoder level (none), or from all levels, concatenated or summed."""
    head_channels: AtLeastOne | None = None
    """Channels between what the prediction is made from and the logits; null takes those of the
    last decoder level with a hypercolumn, and none without."""
    dropout: Dropout = 0.0
    """Share of the channels before the head that a training step drops whole, for each crop."""
    empty_head: bool
    """Predict from the deepest features whether a crop is empty; trained by loss `empty_mask`."""
    deep_supervision: bool
    """In training, predict from each decoder level; trained by loss `deep_supervision`."""
    input: Input
    """How a crop becomes the network's input."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check how the fields fit together."""
        if self.scse and self.decoder == "upsampled" and min(self.decoder_channels) < 16:
            raise ValueError("scse: needs decoder_channels of 16 or more")
        if self.decoder == "fused" and len(self.decoder_channels) > 4:
            raise ValueError(
                "decoder: fused has no level for the encoder's first stage; give decoder_channels"
                " of 3 or 4 levels"
            )
        if self.decoder == "fused" and min(self.decoder_channels) < 2:
            raise ValueError("decoder: fused needs decoder_channels of 2 or more")
        if self.weights.startswith("models:/"):
            raise ValueError(
                f"weights: {self.weights} may be another model tomorrow; run 'saltseg weights"
                f" {self.weights}', which keeps its weights as a file, and name that"
            )
        return self


class ClassUnetModel(Section):
    """A U-Net of the class and capstone reports; it restores odd sizes without resizing."""

    architecture: Literal["class_unet"]
    """Family of the network."""
    blocks: Literal["plain", "residual", "preactivated"]
    """Per level: two convolutions, or two residual blocks, classic or pre-activated."""
    filters: AtLeastOne
    """Channels of the first level; each deeper level has twice as many."""
    dropout: Dropout
    """Dropout rate after each level; half of it after the first."""
    input: Input
    """How a crop becomes the network's input."""


class PlainCnnModel(Section):
    """A stack of convolutions without pooling: a baseline for the U-Nets."""

    architecture: Literal["plain_cnn"]
    """Family of the network."""
    filters: AtLeastOne
    """Channels of each layer."""
    layers: AtLeastOne
    """Number of 3x3 convolutions."""
    input: Input
    """How a crop becomes the network's input."""


class PyramidModel(Section):
    """The 15th place's small network: dilated blocks, pyramid pooling, guided upsampling."""

    architecture: Literal["pyramid"]
    """Family of the network."""
    filters: Annotated[int, Field(ge=16)]
    """Channels at full size; twice, four and eight times as many at half, quarter and eighth."""
    dilations: list[AtLeastOne] = Field(min_length=1)
    """Dilation of each stage of three residual blocks that follows the first at an eighth."""
    dropout: Dropout = 0.0
    """Share of the channels before each head that a training step drops whole, for each crop."""
    deep_supervision: bool = False
    """In training, also predict from the first features at an eighth; trained by the loss
    `deep_supervision`."""
    input: Input
    """How a crop becomes the network's input."""


ModelDefinition = Annotated[
    UnetModel | ClassUnetModel | PlainCnnModel | PyramidModel, Field(discriminator="architecture")
]
