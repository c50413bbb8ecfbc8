import numpy as np
import pytest
import torch
from torch import Tensor

from saltseg.losses import bce, create_loss, dice, lovasz, lovasz_elu


def batch(seed: int, crops: int = 6, size: int = 9) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(crops, size, size, generator=generator)
    masks = (torch.rand(crops, size, size, generator=generator) < 0.4).float()
    masks[0] = 0
    masks[1] = 1
    return logits, masks


def slow_lovasz(logits: Tensor, masks: Tensor, hinge: str) -> float:
    """One crop after another, one pixel after another, from the definition of the extension."""
    losses = []
    for crop, mask in zip(logits.flatten(1).numpy(), masks.flatten(1).numpy(), strict=True):
        errors = 1 - crop * (2 * mask - 1)
        order = sorted(range(len(errors)), key=lambda pixel: -errors[pixel])
        loss, before, wrong = 0.0, 0.0, np.zeros(len(errors), bool)
        for pixel in order:
            wrong[pixel] = True
            predicted = np.where(wrong, 1 - mask, mask)
            union = np.maximum(predicted, mask).sum()
            jaccard = 1 - (predicted * mask).sum() / union if union else 0.0
            error = errors[pixel]
            value = max(error, 0) if hinge == "relu" else error + 1 if error > 0 else np.exp(error)
            loss += value * (jaccard - before)
            before = jaccard
        losses.append(loss)
    return float(np.mean(losses))


@pytest.mark.parametrize("seed", range(5))
def test_lovasz_agrees_with_its_definition(seed: int) -> None:
    logits, masks = batch(seed)
    assert lovasz(logits, masks).item() == pytest.approx(slow_lovasz(logits, masks, "relu"), 1e-5)
    assert lovasz_elu(logits, masks).item() == pytest.approx(
        slow_lovasz(logits, masks, "elu"), 1e-5
    )


def test_a_sure_and_right_prediction_costs_nothing() -> None:
    _, masks = batch(0)
    logits = 40 * (2 * masks - 1)
    for loss in (bce, dice, lovasz, lovasz_elu):
        assert loss(logits, masks).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", [bce, dice, lovasz, lovasz_elu])
def test_gradients_point_towards_the_mask(loss: object) -> None:
    logits, masks = batch(1)
    logits.requires_grad_()
    loss(logits, masks).backward()  # type: ignore[operator]
    assert logits.grad is not None
    # A step against the gradient lowers the logits outside of salt and raises them inside.
    assert (logits.grad[masks == 1] <= 0).all()
    assert (logits.grad[masks == 0] >= 0).all()
    assert logits.grad.abs().sum() > 0


def test_the_sum_is_weighted() -> None:
    logits, masks = batch(2)
    total = create_loss({"bce": 0.1, "lovasz": 0.9})(logits, masks)
    assert total.item() == pytest.approx(
        0.1 * bce(logits, masks).item() + 0.9 * lovasz(logits, masks).item()
    )
