"""Both ways to predict from all levels, held to what their descriptions say."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from saltseg.models.hypercolumn import ConcatenatedHypercolumn, SummedHypercolumn

WIDTHS = [12, 8, 4]


def draw_levels(sizes: list[int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(2, width, size, size, generator=generator)
        for width, size in zip(WIDTHS, sizes, strict=True)
    ]


def share_kernels(summed: SummedHypercolumn, concatenated: ConcatenatedHypercolumn) -> None:
    """Give both the same kernels, and the concatenated form the sum of the others' offsets."""
    convolutions = [module for module in summed.levels if isinstance(module, nn.Conv2d)]
    kernels = torch.cat([convolution.weight for convolution in convolutions], dim=1)
    offsets = [convolution.bias for convolution in convolutions if convolution.bias is not None]
    with torch.no_grad():
        concatenated.join.weight.copy_(kernels)
        assert concatenated.join.bias is not None
        concatenated.join.bias.copy_(torch.stack(offsets).sum(dim=0))
    concatenated.head.load_state_dict(summed.head.state_dict())


def test_levels_of_one_size_are_the_same_either_way() -> None:
    summed, concatenated = SummedHypercolumn(WIDTHS), ConcatenatedHypercolumn(WIDTHS)
    share_kernels(summed, concatenated)
    levels = draw_levels([8, 8, 8])
    assert torch.allclose(summed(levels), concatenated(levels), atol=1e-5)


def test_what_is_constant_is_enlarged_without_a_trace() -> None:
    """On constant levels enlargement and convolution commute, but for the padded border."""
    summed, concatenated = SummedHypercolumn(WIDTHS), ConcatenatedHypercolumn(WIDTHS)
    share_kernels(summed, concatenated)
    levels = [
        level.mean(dim=(2, 3), keepdim=True).expand_as(level) for level in draw_levels([8, 16, 32])
    ]
    inner = slice(8, 24)
    assert torch.allclose(
        summed(levels)[..., inner, inner], concatenated(levels)[..., inner, inner], atol=1e-5
    )


def test_every_level_reaches_the_logits_of_both() -> None:
    for head in (SummedHypercolumn(WIDTHS), ConcatenatedHypercolumn(WIDTHS)):
        levels = [level.requires_grad_() for level in draw_levels([4, 8, 16])]
        logits: Tensor = head(levels)
        assert logits.shape == (2, 1, 16, 16)
        functional.softplus(logits).sum().backward()
        assert all(level.grad is not None and level.grad.abs().amax() > 0 for level in levels)
