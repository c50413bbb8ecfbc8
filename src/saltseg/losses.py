"""Losses on logits, by name, and their weighted sum."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from saltseg.models.outputs import Outputs
from saltseg.params import LossName

PixelLoss = Callable[[Tensor, Tensor], Tensor]
"""Takes logits and masks, both float (n, h, w), and returns a scalar."""

Loss = Callable[[Outputs, Tensor], Tensor]
"""Takes a network's outputs and masks, float (n, h, w), and returns a scalar."""

FOCUS = 2.0
"""The focal loss's gamma, as its authors advise."""


def create_loss(weights: Mapping[LossName, float]) -> Loss:
    """Return the weighted sum of the named losses.

    `empty_mask` and `deep_supervision` take their outputs from the heads that a definition gives a
    network. Deep supervision is the weighted sum of the phase's pixel losses on each side output,
    mean over them (Lee et al. 2015).
    """
    pixel = {PIXEL_LOSSES[name]: w for name, w in weights.items() if name in PIXEL_LOSSES}

    def on_pixels(logits: Tensor, masks: Tensor) -> Tensor:
        return torch.stack([weight * part(logits, masks) for part, weight in pixel.items()]).sum()

    def loss(outputs: Outputs, masks: Tensor) -> Tensor:
        parts = [on_pixels(outputs.logits, masks)]
        if "empty_mask" in weights and outputs.empty is not None:
            parts.append(weights["empty_mask"] * empty_mask(outputs.empty, masks))
        if "deep_supervision" in weights and outputs.side is not None:
            sides = [on_pixels(side, masks) for side in outputs.side.unbind(dim=1)]
            parts.append(weights["deep_supervision"] * torch.stack(sides).mean())
        return torch.stack(parts).sum()

    return loss


def bce(logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy, mean over pixels."""
    return functional.binary_cross_entropy_with_logits(logits, masks)


def dice(logits: Tensor, masks: Tensor) -> Tensor:
    """One minus the soft Dice coefficient of each crop, smoothed by one pixel (Milletari 2016)."""
    probabilities = logits.sigmoid().flatten(1)
    truth = masks.flatten(1)
    overlap = 2 * (probabilities * truth).sum(1) + 1
    return (1 - overlap / (probabilities.sum(1) + truth.sum(1) + 1)).mean()


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
    return (lovasz(logits, masks) + lovasz(-logits, 1 - masks)) / 2


def lovasz_elu_symmetric(logits: Tensor, masks: Tensor) -> Tensor:
    """The symmetric Lovász hinge with elu(errors) + 1."""
    return (lovasz_elu(logits, masks) + lovasz_elu(-logits, 1 - masks)) / 2


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


def _lovasz(logits: Tensor, masks: Tensor, hinge: Callable[[Tensor], Tensor]) -> Tensor:
    """All crops at once: sort the hinge errors, weigh them by the steps of the Jaccard loss."""
    truth = masks.flatten(1)
    errors = 1 - logits.flatten(1) * (2 * truth - 1)
    errors, order = errors.sort(dim=1, descending=True, stable=True)
    truth = truth.gather(1, order)
    salt = truth.sum(1, keepdim=True)
    jaccard = 1 - (salt - truth.cumsum(1)) / (salt + (1 - truth).cumsum(1))
    steps = torch.cat([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], dim=1)
    return (hinge(errors) * steps.detach()).sum(1)


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
