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
"""Gamma of the focal loss, as recommended by its authors."""
PLACE_BITS = 31
"""Bits for a pixel's position; with the 32 of a float they fit into an int64."""


def create_loss(weights: Mapping[LossName, float]) -> Loss:
    """Return the weighted sum of the named losses.

    `empty_mask` and `deep_supervision` read the heads that the model definition adds. Deep
    supervision is the weighted sum of the phase's pixel losses on each side output, averaged over
    the side outputs (Lee et al. 2015). Masks may be probabilities: the losses in SOFT use them as
    they are, the others threshold them at 0.5.
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

    As in the paper, the denominator holds squares: the minimum then lies where the probabilities
    equal the masks, even soft ones. Without squares every pixel would be driven to 0 or 1.
    """
    probabilities = logits.sigmoid().flatten(1)
    truth = masks.flatten(1)
    overlap = 2 * (probabilities * truth).sum(1) + 1
    return (1 - overlap / (probabilities.square().sum(1) + truth.square().sum(1) + 1)).mean()


def focal(logits: Tensor, masks: Tensor) -> Tensor:
    """Mean of cross-entropy times (1 - p)^2, p the probability of the truth (Lin et al. 2017)."""
    entropy = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    wrong = (logits * (1 - 2 * masks)).sigmoid()
    return (wrong**FOCUS * entropy).mean()


def empty_mask(empty: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the logits, float (n,), that a crop is empty: the 4th place's head."""
    truth = 1 - masks.flatten(1).amax(dim=1)
    return functional.binary_cross_entropy_with_logits(empty, truth)


def lovasz(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge per crop, mean over crops (Berman et al. 2018)."""
    return _lovasz(logits, masks, functional.relu).mean()


def lovasz_elu(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge with elu(errors) + 1 instead of relu(errors), as several top systems used."""
    return _lovasz(logits, masks, elu_hinge).mean()


def lovasz_symmetric(logits: Tensor, masks: Tensor) -> Tensor:
    """Mean of the Lovász hinges of salt and of background, as the 9th place used."""
    return _lovasz(logits, masks, functional.relu, symmetric=True).mean()


def lovasz_elu_symmetric(logits: Tensor, masks: Tensor) -> Tensor:
    """The symmetric Lovász hinge with elu(errors) + 1."""
    return _lovasz(logits, masks, elu_hinge, symmetric=True).mean()


def lovasz_softmax(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász-softmax of salt and background per crop (Berman et al. 2018), the 15th place's.

    Errors are the distances of the probabilities from the masks, alike for both classes.
    """
    truth = masks.flatten(1)
    errors = (logits.flatten(1) * (1 - 2 * truth)).sigmoid()
    return _extension(errors, truth, symmetric=True).mean()


def lovasz_nonempty(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge, mean over the crops with salt; the others are left to an empty-mask head."""
    return _mean_nonempty(_lovasz(logits, masks, functional.relu), masks)


def lovasz_elu_nonempty(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge with elu(errors) + 1, mean over the crops with salt."""
    return _mean_nonempty(_lovasz(logits, masks, elu_hinge), masks)


def elu_hinge(errors: Tensor) -> Tensor:
    """Return elu(errors) + 1; unlike relu, its gradient never vanishes for correct pixels."""
    return functional.elu(errors) + 1


def _mean_nonempty(losses: Tensor, masks: Tensor) -> Tensor:
    """Return the mean of the losses, (n,), of crops with salt; 0 where there are none."""
    nonempty = masks.flatten(1).amax(dim=1)
    return (losses * nonempty).sum() / nonempty.sum().clamp(min=1)


def _lovasz(
    logits: Tensor, masks: Tensor, hinge: Callable[[Tensor], Tensor], symmetric: bool = False
) -> Tensor:
    """Return the Lovász extension of the hinged errors; see _extension."""
    truth = masks.flatten(1)
    return _extension(hinge(1 - logits.flatten(1) * (2 * truth - 1)), truth, symmetric)


def _extension(errors: Tensor, truth: Tensor, symmetric: bool) -> Tensor:
    """Weigh errors, not negative, by the steps of the Jaccard loss, for all crops at once; (n,).

    errors, truth: (n, pixels). symmetric: average with the loss of salt and background swapped,
    whose errors are the same.
    """
    order = _descending(errors.detach())
    steps = _jaccard_steps(truth.gather(1, order))
    if symmetric:
        steps = (steps + _jaccard_steps(1 - truth.gather(1, order))) / 2
    return (errors * _in_place(steps, order)).sum(1)


def _in_place(steps: Tensor, order: Tensor) -> Tensor:
    """Return the steps, (n, pixels), in the original order of the pixels: `order` undone."""
    if steps.is_cuda:  # a deterministic scatter_ sorts there too, and synchronises
        return steps.gather(1, order.argsort(dim=1))
    return torch.empty_like(steps).scatter_(1, order, steps)


def _jaccard_steps(truth: Tensor) -> Tensor:
    """Return by how much each further wrong pixel raises the Jaccard loss; (n, pixels).

    truth: the pixels' masks in the order in which they become wrong. With k wrong pixels, o of
    them outside the salt, the loss is k / (salt + o): errors over the union.
    """
    wrong = torch.arange(1, 1 + truth.shape[1], device=truth.device, dtype=truth.dtype)
    union = (1 - truth).cumsum(1).add_(truth.sum(1, keepdim=True))
    return torch.diff(wrong / union, dim=1, prepend=torch.zeros_like(union[:, :1]))


def _descending(values: Tensor) -> Tensor:
    """Return the order that sorts each row in descending order, stably; int64.

    values: (n, k), not negative.
    """
    if values.device.type != "cpu" or values.dtype != torch.float32:
        return values.sort(dim=1, descending=True, stable=True).indices
    # numpy sorts integers ten times as fast as torch argsorts floats. The bits of non-negative
    # floats are ordered like the floats; the position goes into the low bits.
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
    "lovasz_softmax": lovasz_softmax,
    "lovasz_nonempty": lovasz_nonempty,
    "lovasz_elu_nonempty": lovasz_elu_nonempty,
}
