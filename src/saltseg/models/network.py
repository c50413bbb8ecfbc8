"""The complete network: from grey values of a crop to logits of the same size."""

import torch
from torch import Tensor, nn

from saltseg.config.model_definitions import Input
from saltseg.models.inputs import Offset, centre, channel, fit, random_offsets, unfit
from saltseg.models.outputs import Outputs, predicted


class SaltNetwork(nn.Module):
    """A segmentation network with its pre- and postprocessing.

    The crop is padded or resized to the network's input size, standardised and given its extra
    channels; the logits are cropped or resized back. Training and prediction need not know the
    input format of a network.
    """

    def __init__(self, body: nn.Module, definition: Input, mean: float, std: float) -> None:
        """Wrap `body`, which maps (n, channels, size, size) to Outputs of the input's size."""
        super().__init__()
        self.body = body
        self.definition = definition
        self.mean = mean
        self.std = std

    def forward(self, images: Tensor, depth: Tensor) -> Tensor | Outputs:
        """Return the logits of the prediction, float (n, h, w); in training mode, all outputs.

        images: float (n, h, w) in 0..1; depth: float (n,) in feet.
        """
        shape = images.shape[-2:]
        offsets = self._offsets(images)
        fitted = fit(images[:, None], self.definition, offsets)[:, 0]
        outputs = self._seen(fitted, depth)

        def back(logits: Tensor) -> Tensor:
            return unfit(logits.float(), self.definition, offsets, shape)

        outputs = Outputs(
            logits=back(outputs.logits)[:, 0],
            empty=None if outputs.empty is None else outputs.empty.float(),
            side=None if outputs.side is None else back(outputs.side),
        )
        return outputs if self.training else predicted(outputs)

    def _seen(self, fitted: Tensor, depth: Tensor) -> Outputs:
        """Return the body's outputs for images of its input's size, float (n, h, w) in 0..1."""
        channels = [
            channel(name, fitted, depth, self.mean, self.std) for name in self.definition.channels
        ]
        inputs = torch.stack(channels, dim=1)
        outputs: Outputs = self.body(inputs.contiguous(memory_format=torch.channels_last))
        return outputs

    def _offsets(self, images: Tensor) -> list[Offset]:
        if self.training and self.definition.offset == "random":
            return random_offsets(self.definition, images.shape[-2:], len(images))
        return [centre(self.definition, images.shape[-2:])]
