"""Changes of size on a GPU, and the gradient that they have there, are torch's own."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from saltseg.models.fast.resizing import Resizing, resized

SIZES = [
    ((5, 9), (10, 18)),
    ((7, 3), (112, 48)),
    ((12, 8), (7, 5)),
    ((1, 4), (6, 4)),
    ((3, 3), (1, 1)),
]


def interpolated(features: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    return functional.interpolate(features, size, mode="bilinear", align_corners=align_corners)


def with_gradient(result: Tensor, features: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    (gradient,) = torch.autograd.grad((result.float() * weights).sum(), features)
    return result, gradient


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(("small", "large"), SIZES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_ways_there_and_back_are_torchs(
    small: tuple[int, int], large: tuple[int, int], align_corners: bool, layout: torch.memory_format
) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, *small, generator=generator).to(memory_format=layout)
    features.requires_grad_()
    weights = torch.randn(2, 3, *large, generator=generator).to(memory_format=layout)
    theirs = with_gradient(interpolated(features, large, align_corners), features, weights)
    ours = with_gradient(Resizing.apply(features, large, align_corners), features, weights)
    assert torch.equal(ours[0], theirs[0])
    assert torch.allclose(ours[1], theirs[1], atol=1e-5)


def test_the_gradient_is_exact_in_bfloat16_but_for_rounding() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 7, 7, generator=generator).bfloat16().requires_grad_()
    weights = torch.randn(2, 3, 28, 28, generator=generator).bfloat16().float()
    wide = features.detach().float().requires_grad_()
    exact = with_gradient(interpolated(wide, (28, 28), False), wide, weights)[1]
    found = with_gradient(Resizing.apply(features, (28, 28), False), features, weights)[1]
    assert found.dtype == torch.bfloat16
    # Two products, each rounded to eight bits.
    assert (found.float() - exact).abs().max() < 2 * 2**-8 * exact.abs().max()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("align_corners", [False, True])
def test_a_gpu_resizes_alike_and_the_same_at_each_run(align_corners: bool) -> None:
    features = torch.randn(4, 8, 14, 14, device="cuda", requires_grad=True)
    weights = torch.randn(4, 8, 112, 112, device="cuda")
    runs = [
        with_gradient(resized(features, (112, 112), align_corners), features, weights)
        for _ in range(3)
    ]
    plain = interpolated(features, (112, 112), align_corners)
    theirs = with_gradient(plain, features, weights)
    assert all(torch.equal(run[1], runs[0][1]) for run in runs)
    assert torch.allclose(runs[0][0], theirs[0], atol=1e-5)
    assert torch.allclose(runs[0][1], theirs[1], atol=1e-3)
