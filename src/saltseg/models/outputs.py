"""What a network gives while it learns, and the one prediction that comes of it."""

from typing import NamedTuple

import torch
from torch import Tensor


class Outputs(NamedTuple):
    """Logits of salt, and what the further heads of a network say."""

    logits: Tensor
    """Of each pixel: float (n, h, w); (n, 1, size, size) before it is brought back to the crop."""
    empty: Tensor | None = None
    """That a crop holds no salt: float (n,)."""
    side: Tensor | None = None
    """Of each pixel, from each decoder level but the last: float (n, levels, h, w)."""


def predicted(outputs: Outputs) -> Tensor:
    """Return the logits of the prediction, float (n, h, w).

    With an empty-mask head a pixel is salt where the crop holds salt and the pixel is salt in it:
    p = sigmoid(logit) * (1 - sigmoid(empty)), the first of which is conditional only where pixels
    learn from crops with salt alone. Solved for the logit of p, which needs no probabilities:
    -log(exp(-logit) + exp(empty) + exp(empty - logit)).
    """
    if outputs.empty is None:
        return outputs.logits
    empty = outputs.empty[:, None, None].expand_as(outputs.logits)
    terms = torch.stack([-outputs.logits, empty, empty - outputs.logits])
    return -terms.logsumexp(dim=0)
