"""Losses on logits, by name, and their weighted sum."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from saltseg.config.phases import SOFT, LossName
from saltseg.models.outputs import Outputs

PixelLoss = Callable[[Tensor, Tensor], Tensor]
"""Takes logits and masks, both float (n, h, w), and returns a scalar."""

Loss = Callable[[Outputs, Tensor], Tensor]
"""Takes a network's outputs and masks, float (n, h, w), and returns a scalar."""

FOCUS = 2.0
"""The focal loss's gamma, as its authors advise."""
PLACE_BITS = 31
"""Beside the 32 of a float they fit into a whole number of 64 bits."""


def create_loss(weights: Mapping[LossName, float]) -> Loss:
    """Return the weighted sum of the named losses.

    `empty_mask` and `deep_supervision` take their outputs from the heads that a definition gives a
    network. Deep supervision is the weighted sum of the phase's pixel losses on each side output,
    mean over them (Lee et al. 2015). Masks may be probabilities: those of SOFT learn them, the
    others take what is more than 0.5 for salt.
    """
    pixel = {name: weight for name, weight in weights.items() if name in PIXEL_LOSSES}

    def on_pixels(logits: Tensor, masks: Tensor) -> Tensor:
        hard = _harden(masks)
        parts = [
            weight * PIXEL_LOSSES[name](logits, masks if name in SOFT else hard)
            for name, weight in pixel.items()
        ]
        return torch.stack(parts).sum()

    def loss(outputs: Outputs, masks: Tensor) -> Tensor:
        parts = [on_pixels(outputs.logits, masks)]
        if "empty_mask" in weights and outputs.empty is not None:
            parts.append(weights["empty_mask"] * empty_mask(outputs.empty, _harden(masks)))
        if "deep_supervision" in weights and outputs.side is not None:
            sides = [on_pixels(side, masks) for side in outputs.side.unbind(dim=1)]
            parts.append(weights["deep_supervision"] * torch.stack(sides).mean())
        return torch.stack(parts).sum()

    return loss


def _harden(masks: Tensor) -> Tensor:
    return (masks > 0.5).to(masks.dtype)


def bce(logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy, mean over pixels."""
    return functional.binary_cross_entropy_with_logits(logits, masks)


def dice(logits: Tensor, masks: Tensor) -> Tensor:
    """One minus the soft Dice coefficient of each crop, smoothed by one pixel (Milletari 2016).

    With squares below the line, as there: so it is least where probabilities are the masks', even
    if those are no whole numbers; without them it would drive every pixel to 0 or 1.
    """
    probabilities = logits.sigmoid().flatten(1)
    truth = masks.flatten(1)
    overlap = 2 * (probabilities * truth).sum(1) + 1
    return (1 - overlap / (probabilities.square().sum(1) + truth.square().sum(1) + 1)).mean()


def focal(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy times (1 - p)^2, p the probability of the truth; mean (Lin et al. 2017)."""
    entropy = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    wrong = (logits * (1 - 2 * masks)).sigmoid()
    return (wrong**FOCUS * entropy).mean()


def empty_mask(empty: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the logits, float (n,), that crops hold no salt: the 4th place's head."""
    truth = 1 - masks.flatten(1).amax(dim=1)
    return functional.binary_cross_entropy_with_logits(empty, truth)


def lovasz(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge of each crop, mean over crops (Berman et al. 2018)."""
    return _lovasz(logits, masks, functional.relu).mean()


def lovasz_elu(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge with elu(errors) + 1 for relu(errors), as several of the best systems used."""
    return _lovasz(logits, masks, elu_hinge).mean()


def lovasz_symmetric(logits: Tensor, masks: Tensor) -> Tensor:
    """Mean of the Lovász hinges of salt and of what is not salt: the 9th place's."""
    return _lovasz(logits, masks, functional.relu, symmetric=True).mean()


def lovasz_elu_symmetric(logits: Tensor, masks: Tensor) -> Tensor:
    """The symmetric Lovász hinge with elu(errors) + 1."""
    return _lovasz(logits, masks, elu_hinge, symmetric=True).mean()


def lovasz_nonempty(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge, mean over the crops that hold salt; an empty-mask head learns the others."""
    return _mean_nonempty(_lovasz(logits, masks, functional.relu), masks)


def lovasz_elu_nonempty(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge with elu(errors) + 1, mean over the crops that hold salt."""
    return _mean_nonempty(_lovasz(logits, masks, elu_hinge), masks)


def elu_hinge(errors: Tensor) -> Tensor:
    """Return elu(errors) + 1: unlike relu it has a slope where a pixel is right by a margin."""
    return functional.elu(errors) + 1


def _mean_nonempty(losses: Tensor, masks: Tensor) -> Tensor:
    """Return the mean of the losses, (n,), of crops with salt; 0 where there are none."""
    nonempty = masks.flatten(1).amax(dim=1)
    return (losses * nonempty).sum() / nonempty.sum().clamp(min=1)


def _lovasz(
    logits: Tensor, masks: Tensor, hinge: Callable[[Tensor], Tensor], symmetric: bool = False
) -> Tensor:
    """All crops at once: weigh the hinged errors by the steps of the Jaccard loss; (n,).

    symmetric: mean of this and of what it would be with salt and the rest swapped, where errors
        are the same.
    """
    truth = masks.flatten(1)
    errors = hinge(1 - logits.flatten(1) * (2 * truth - 1))
    order = _descending(errors.detach())
    steps = _jaccard_steps(truth.gather(1, order))
    if symmetric:
        steps = (steps + _jaccard_steps(1 - truth.gather(1, order))) / 2
    return (errors * _in_place(steps, order)).sum(1)


def _in_place(steps: Tensor, order: Tensor) -> Tensor:
    """Return the steps, (n, pixels), in the order that their pixels had before `order`."""
    if steps.is_cuda:  # a deterministic scatter_ sorts there too, and waits for the GPU
        return steps.gather(1, order.argsort(dim=1))
    return torch.empty_like(steps).scatter_(1, order, steps)


def _jaccard_steps(truth: Tensor) -> Tensor:
    """Return by how much each pixel raises the Jaccard loss when it too is wrong; (n, pixels).

    truth: the pixels' masks in the order in which they become wrong. When k of them are, and o of
    those lie outside of salt, the loss is k / (salt + o): all that is neither right nor outside.
    """
    wrong = torch.arange(1, 1 + truth.shape[1], device=truth.device, dtype=truth.dtype)
    union = (1 - truth).cumsum(1).add_(truth.sum(1, keepdim=True))
    return torch.diff(wrong / union, dim=1, prepend=torch.zeros_like(union[:, :1]))


def _descending(values: Tensor) -> Tensor:
    """Return the order that sorts each row, the largest first, of equals the first; int64.

    values: (n, k), none below 0.
    """
    if values.device.type != "cpu" or values.dtype != torch.float32:
        return values.sort(dim=1, descending=True, stable=True).indices
    # numpy sorts whole numbers ten times as fast as torch sorts floats with their places. Bits of
    # floats from 0 ascend as the floats do; below them stands the place.
    places = torch.arange(values.shape[1])
    keys = torch.add(places, values.view(torch.int32), alpha=-(1 << PLACE_BITS))
    keys.numpy().sort(axis=1)
    return keys.bitwise_and_((1 << PLACE_BITS) - 1)


PIXEL_LOSSES: Mapping[str, PixelLoss] = {
    "bce": bce,
    "dice": dice,
    "focal": focal,
    "lovasz": lovasz,
    "lovasz_elu": lovasz_elu,
    "lovasz_symmetric": lovasz_symmetric,
    "lovasz_elu_symmetric": lovasz_elu_symmetric,
    "lovasz_nonempty": lovasz_nonempty,
    "lovasz_elu_nonempty": lovasz_elu_nonempty,
}
