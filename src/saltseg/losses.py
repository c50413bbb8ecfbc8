"""Losses on logits, by name, and their weighted sum."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from saltseg.params import LossName

Loss = Callable[[Tensor, Tensor], Tensor]


def create_loss(weights: Mapping[LossName, float]) -> Loss:
    """Return the weighted sum of the named losses.

    A loss takes logits and masks, both float (n, h, w), and returns a scalar.
    """
    parts = [(LOSSES[name], weight) for name, weight in weights.items()]

    def loss(logits: Tensor, masks: Tensor) -> Tensor:
        return torch.stack([weight * part(logits, masks) for part, weight in parts]).sum()

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


def lovasz(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge of each crop, mean over crops (Berman et al. 2018)."""
    return _lovasz(logits, masks, functional.relu)


def lovasz_elu(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge with elu(errors) + 1 for relu(errors), as several of the best systems used."""
    return _lovasz(logits, masks, lambda errors: functional.elu(errors) + 1)


def _lovasz(logits: Tensor, masks: Tensor, hinge: Callable[[Tensor], Tensor]) -> Tensor:
    """All crops at once: sort the hinge errors, weigh them by the steps of the Jaccard loss."""
    truth = masks.flatten(1)
    errors = 1 - logits.flatten(1) * (2 * truth - 1)
    errors, order = errors.sort(dim=1, descending=True, stable=True)
    truth = truth.gather(1, order)
    salt = truth.sum(1, keepdim=True)
    jaccard = 1 - (salt - truth.cumsum(1)) / (salt + (1 - truth).cumsum(1))
    steps = torch.cat([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], dim=1)
    return (hinge(errors) * steps.detach()).sum(1).mean()


LOSSES: Mapping[LossName, Loss] = {
    "bce": bce,
    "dice": dice,
    "lovasz": lovasz,
    "lovasz_elu": lovasz_elu,
}
