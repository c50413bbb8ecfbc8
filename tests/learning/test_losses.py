"""Each loss against its definition, written out pixel by pixel."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from saltseg.config.phases import LossName
from saltseg.learning.losses import PIXEL_LOSSES, create_loss, empty_mask
from saltseg.models.outputs import Outputs

Array = npt.NDArray[np.float64]


def slow_bce(logits: Array, mask: Array) -> float:
    return float(np.mean([_entropy(x, y) for x, y in zip(logits, mask, strict=True)]))


def _entropy(logit: float, truth: float) -> float:
    probability = 1 / (1 + math.exp(-logit))
    return -math.log(probability if truth else 1 - probability)


def slow_focal(logits: Array, mask: Array) -> float:
    total = 0.0
    for logit, truth in zip(logits, mask, strict=True):
        probability = 1 / (1 + math.exp(-logit))
        right = probability if truth else 1 - probability
        total += (1 - right) ** 2 * -math.log(right)
    return total / len(logits)


def slow_dice(logits: Array, mask: Array) -> float:
    probabilities = [1 / (1 + math.exp(-logit)) for logit in logits]
    overlap = sum(p * y for p, y in zip(probabilities, mask, strict=True))
    squares = sum(p * p for p in probabilities) + sum(y * y for y in mask)
    return 1 - (2 * overlap + 1) / (squares + 1)


def slow_lovasz(logits: Array, mask: Array, hinge: Callable[[float], float]) -> float:
    return slow_extension([hinge(error) for error in 1 - logits * (2 * mask - 1)], mask)


def slow_extension(errors: list[float], mask: Array) -> float:
    """Add one wrong pixel after the other, the worst first: the extension's definition."""
    loss, before, wrong = 0.0, 0.0, np.zeros(len(errors), bool)
    for pixel in sorted(range(len(errors)), key=lambda pixel: -errors[pixel]):
        wrong[pixel] = True
        predicted = np.where(wrong, 1 - mask, mask)
        union = np.maximum(predicted, mask).sum()
        jaccard = 1 - (predicted * mask).sum() / union if union else 0.0
        loss += errors[pixel] * (jaccard - before)
        before = jaccard
    return loss


def slow_softmax(logits: Array, mask: Array) -> float:
    """Both classes' probabilities against their masks."""
    salt = [1 / (1 + math.exp(-logit)) for logit in logits]
    background = [1 - probability for probability in salt]
    classes = ((salt, mask), (background, 1 - mask))
    losses = [
        slow_extension([abs(y - p) for y, p in zip(truth, of_class, strict=True)], truth)
        for of_class, truth in classes
    ]
    return sum(losses) / 2


def relu(error: float) -> float:
    return max(error, 0.0)


def elu(error: float) -> float:
    return error + 1 if error > 0 else math.exp(error)


def symmetric(hinge: Callable[[float], float]) -> Callable[[Array, Array], float]:
    return lambda logits, mask: (
        (slow_lovasz(logits, mask, hinge) + slow_lovasz(-logits, 1 - mask, hinge)) / 2
    )


SLOW: dict[str, Callable[[Array, Array], float]] = {
    "bce": slow_bce,
    "dice": slow_dice,
    "focal": slow_focal,
    "lovasz": lambda logits, mask: slow_lovasz(logits, mask, relu),
    "lovasz_elu": lambda logits, mask: slow_lovasz(logits, mask, elu),
    "lovasz_symmetric": symmetric(relu),
    "lovasz_elu_symmetric": symmetric(elu),
    "lovasz_softmax": slow_softmax,
    "lovasz_nonempty": lambda logits, mask: slow_lovasz(logits, mask, relu),
    "lovasz_elu_nonempty": lambda logits, mask: slow_lovasz(logits, mask, elu),
}
"""A crop's loss; a batch's is the mean over its crops, or over those with salt."""

CROP = st.lists(
    st.tuples(st.integers(-600, 600).map(lambda n: n / 100), st.booleans()),
    min_size=12,
    max_size=12,
)
MASKS = {"as drawn": lambda y: y, "empty": lambda y: 0 * y, "full": lambda y: 0 * y + 1}


def test_every_loss_has_its_definition() -> None:
    assert set(SLOW) == set(PIXEL_LOSSES)


@pytest.mark.parametrize("name", PIXEL_LOSSES)
@settings(max_examples=40, deadline=None)
@given(drawn=st.lists(st.tuples(CROP, st.sampled_from(sorted(MASKS))), min_size=1, max_size=4))
def test_a_loss_is_what_its_definition_says(
    name: str, drawn: list[tuple[list[tuple[float, bool]], str]]
) -> None:
    crops = np.array([crop for crop, _ in drawn], float)
    logits = crops[..., 0]
    masks = np.stack([MASKS[kind](y) for y, (_, kind) in zip(crops[..., 1], drawn, strict=True)])
    losses = [SLOW[name](x, y) for x, y in zip(logits, masks, strict=True)]
    if name.endswith("nonempty"):
        losses = [loss for loss, mask in zip(losses, masks, strict=True) if mask.any()]
    shape = (len(drawn), 3, 4)
    fast = PIXEL_LOSSES[name](
        torch.from_numpy(logits).float().reshape(shape),
        torch.from_numpy(masks).float().reshape(shape),
    )
    assert fast.item() == pytest.approx(np.mean(losses) if losses else 0.0, rel=1e-4, abs=1e-5)


def batch(seed: int, crops: int = 6, size: int = 9) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(crops, size, size, generator=generator)
    masks = (torch.rand(crops, size, size, generator=generator) < 0.4).float()
    masks[0] = 0
    masks[1] = 1
    return logits, masks


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_a_sure_and_right_prediction_costs_nothing(name: str) -> None:
    _, masks = batch(0)
    loss = PIXEL_LOSSES[name](40 * (2 * masks - 1), masks)
    assert loss.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_gradients_point_towards_the_mask(name: str) -> None:
    logits, masks = batch(1)
    logits.requires_grad_()
    PIXEL_LOSSES[name](logits, masks).backward()
    assert logits.grad is not None
    # A step against the gradient lowers the logits outside of salt and raises them inside.
    assert (logits.grad[masks == 1] <= 0).all()
    assert (logits.grad[masks == 0] >= 0).all()
    assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize("name", PIXEL_LOSSES)
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4, -1e4])
@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_gradients_are_finite_whatever_is_predicted(name: str, scale: float, truth: float) -> None:
    logits = (scale * batch(2)[0]).requires_grad_()
    loss = PIXEL_LOSSES[name](logits, torch.full_like(logits, truth))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_nonempty_losses_see_no_empty_crop() -> None:
    logits, masks = batch(3)
    logits.requires_grad_()
    PIXEL_LOSSES["lovasz_elu_nonempty"](logits, masks).backward()
    assert logits.grad is not None
    touched = logits.grad.flatten(1).abs().sum(1) > 0
    assert touched.tolist() == [False, True, True, True, True, True]


def test_the_head_learns_which_crops_are_empty() -> None:
    _, masks = batch(4)
    empty = torch.tensor([2.0, -1.0, 0.5, 0.0, -3.0, 1.0])
    truth = [1, 0, 0, 0, 0, 0]
    expected = np.mean([_entropy(x, y) for x, y in zip(empty.tolist(), truth, strict=True)])
    assert empty_mask(empty, masks).item() == pytest.approx(expected, rel=1e-5)


def test_the_sum_is_weighted() -> None:
    logits, masks = batch(5)
    side = torch.stack([batch(6)[0], batch(7)[0]], dim=1)
    empty = torch.randn(6)
    weights = {"bce": 0.1, "lovasz": 0.9, "empty_mask": 0.05, "deep_supervision": 0.2}

    def on_pixels(values: Tensor) -> Tensor:
        return 0.1 * PIXEL_LOSSES["bce"](values, masks) + 0.9 * PIXEL_LOSSES["lovasz"](
            values, masks
        )

    expected = (
        on_pixels(logits)
        + 0.05 * empty_mask(empty, masks)
        + 0.2 * (on_pixels(side[:, 0]) + on_pixels(side[:, 1])) / 2
    )
    total = create_loss(weights)(Outputs(logits, empty, side), masks)  # type: ignore[arg-type]
    assert total.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", [name for name in PIXEL_LOSSES if name.startswith("lovasz")])
def test_single_and_double_precision_order_pixels_alike(name: str) -> None:
    # They sort differently, and of equal errors here there are many.
    logits, masks = batch(3, crops=5, size=64)
    logits = (2 * logits).round()
    gradients = []
    for precision in (torch.float32, torch.float64):
        copy = logits.to(precision, copy=True).requires_grad_()
        PIXEL_LOSSES[name](copy, masks.to(precision)).backward()
        assert copy.grad is not None
        gradients.append(copy.grad.double())
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_only_bce_and_dice_learn_probabilities(name: LossName) -> None:
    draws = torch.Generator().manual_seed(4)
    logits, soft = (torch.rand(3, 7, 7, generator=draws) for _ in range(2))
    loss, outputs = create_loss({name: 1.0}), Outputs(logits)
    hard = (soft > 0.5).float()
    alike = torch.equal(loss(outputs, soft), loss(outputs, hard))
    assert alike is (name not in ("bce", "dice"))
    assert loss(outputs, hard) == PIXEL_LOSSES[name](logits, hard)


@pytest.mark.parametrize("name", ["bce", "dice"])
def test_a_loss_of_probabilities_is_least_at_them(name: LossName) -> None:
    soft = torch.rand(3, 7, 7, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    logits = soft.logit().requires_grad_()
    PIXEL_LOSSES[name](logits, soft).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.zeros_like(soft), rtol=0, atol=1e-12)


def test_an_empty_head_learns_whether_any_probability_is_over_a_half() -> None:
    logits, soft = torch.zeros(1, 5, 5), torch.full((1, 5, 5), 0.4)
    loss = create_loss({"bce": 1.0, "empty_mask": 1.0})
    sure_empty = Outputs(logits, empty=torch.tensor([9.0]))
    assert loss(sure_empty, soft) < loss(sure_empty, soft + 0.2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_a_gpu_finds_the_same_loss_and_gradient(name: LossName) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 101, 101, generator=generator)
    masks = (torch.randn(4, 101, 101, generator=generator) > 0).float()
    found = []
    for device in ("cpu", "cuda"):
        moved = logits.to(device).requires_grad_()
        loss = create_loss({name: 1.0})(Outputs(moved), masks.to(device))
        (gradient,) = torch.autograd.grad(loss, moved)
        found.append((loss.detach().cpu(), gradient.cpu()))
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-4)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-6)
