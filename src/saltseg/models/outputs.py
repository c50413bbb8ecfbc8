"""The outputs of a network in training, and the prediction made from them."""

from typing import NamedTuple

import torch
from torch import Tensor


class Outputs(NamedTuple):
    """Logits of salt, and the outputs of a network's other heads."""

    logits: Tensor
    """Of each pixel: float (n, h, w); (n, 1, size, size) before it is brought back to the crop."""
    empty: Tensor | None = None
    """Logit that a crop is empty: float (n,)."""
    side: Tensor | None = None
    """Of each pixel, from each decoder level but the last: float (n, levels, h, w)."""


def predicted(outputs: Outputs) -> Tensor:
    """Return the logits of the prediction, float (n, h, w).

    With an empty-mask head, p = sigmoid(logit) * (1 - sigmoid(empty)): the probability of salt in
    a crop with salt, times that of a crop with salt. The first factor is conditional only if the
    pixels learn from crops with salt alone. The logit of p is computed stably as
    -log(exp(-logit) + exp(empty) + exp(empty - logit)).
    """
    if outputs.empty is None:
        return outputs.logits
    empty = outputs.empty[:, None, None].expand_as(outputs.logits)
    terms = torch.stack([-outputs.logits, empty, empty - outputs.logits])
    return -terms.logsumexp(dim=0)
