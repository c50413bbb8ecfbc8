"""Networks that learned from crops, run on tiles of other sizes."""

from torch import Tensor
from torch.nn import functional

from saltseg.config.model_definitions import CROP, Input, ModelDefinition, UnetModel
from saltseg.models.fast.resizing import resized
from saltseg.models.network import SaltNetwork
from saltseg.models.outputs import Outputs, predicted

STRIDE = 32
"""Pixels of the input that one feature of the deepest level stands for, at most."""

_PLACED = {"row", "column", "image_row"}
"""Channels that tell a pixel its place in the crop."""


def takes_tiles(definition: ModelDefinition) -> bool:
    """Tell whether a network sees in a larger tile what it sees in a crop.

    It does not where a channel tells the place in the crop, or a head judges the crop as a whole.
    """
    placed = _PLACED & set(definition.input.channels)
    return not placed and not (isinstance(definition, UnetModel) and definition.empty_head)


def enlarged_side(given: Input) -> int:
    """Return the side to which a network enlarges a crop before it pads it, in pixels."""
    return given.size if given.fit == "resize" else given.resized or CROP


def whole_side(definition: ModelDefinition, side: int) -> int:
    """Return the least side of a tile, at least `side`, of which no input is padding.

    Where crops are enlarged no side need fit exactly; then `side` itself is returned.
    """
    if enlarged_side(definition.input) != CROP:
        return side
    return side + (definition.input.size - side) % STRIDE


class TileNetwork(SaltNetwork):
    """A SaltNetwork for prediction alone, on tiles of any height and width.

    Tiles are enlarged as crops are, and mirrored at their borders up to a size that is the input
    size plus a whole number of STRIDE, on which all levels line up as they do in training.
    """

    @classmethod
    def of(cls, network: SaltNetwork) -> "TileNetwork":
        """Take over the body of a network; both share it."""
        return cls(network.body, network.definition, network.mean, network.std)

    def forward(self, images: Tensor, depth: Tensor) -> Tensor | Outputs:
        """Return the logits, float (n, h, w), of images, float (n, h, w) in 0..1."""
        shape = images.shape[-2:]
        fitted = self._enlarged(images[:, None])
        inner = fitted.shape[-2:]
        top, bottom = self._missing(inner[0])
        left, right = self._missing(inner[1])
        fitted = functional.pad(fitted, (left, right, top, bottom), mode="reflect")[:, 0]
        logits = self._seen(fitted, depth).logits.float()
        logits = logits[..., top : top + inner[0], left : left + inner[1]]
        if inner != shape:
            logits = resized(logits, (shape[0], shape[1]))
        return predicted(Outputs(logits[:, 0]))

    def _enlarged(self, images: Tensor) -> Tensor:
        side = enlarged_side(self.definition)
        if side == CROP:
            return images
        height, width = (round(length * side / CROP) for length in images.shape[-2:])
        return resized(images, (height, width))

    def _missing(self, side: int) -> tuple[int, int]:
        missing = (self.definition.size - side) % STRIDE
        return missing // 2, missing - missing // 2
