"""A plain convolutional network: the benchmark of the capstone report."""

from torch import Tensor, nn

from saltseg.config.model_definitions import PlainCnnModel
from saltseg.models.outputs import Outputs


class PlainCnn(nn.Module):
    """3x3 convolutions with ReLU at full size, and a 1x1 convolution at the end.

    The receptive field reaches one pixel further with each layer. The report gives no details of
    its benchmark; the definition sets the number and width of the layers.
    """

    def __init__(self, definition: PlainCnnModel) -> None:
        """Build the network of a definition."""
        super().__init__()
        width = definition.filters
        inputs = [len(definition.input.channels), *[width] * (definition.layers - 1)]
        layers: list[nn.Module] = []
        for count in inputs:
            layers += [nn.Conv2d(count, width, 3, padding=1), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 1, 1))

    def forward(self, images: Tensor) -> Outputs:
        """Map (n, channels, h, w) to logits (n, 1, h, w)."""
        return Outputs(self.layers(images))
