"""The parts that networks are made of."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from saltseg.models.outputs import Outputs, predicted
from saltseg.models.pooling import PyramidAttention, PyramidPooling
from saltseg.models.pyramid import GuidedUpsampling

LOGIT = st.floats(-30, 30, width=32)


@settings(deadline=None)
@given(logit=LOGIT, empty=LOGIT)
def test_a_pixel_is_salt_where_the_crop_is_not_empty_and_the_pixel_is_salt(
    logit: float, empty: float
) -> None:
    logits = predicted(Outputs(torch.full((1, 2, 2), logit), torch.tensor([empty])))
    exact = torch.tensor(logit, dtype=torch.float64).sigmoid()
    exact = exact * torch.tensor(-empty, dtype=torch.float64).sigmoid()
    assert logits.shape == (1, 2, 2)
    assert torch.allclose(logits.double().sigmoid(), exact, rtol=1e-4, atol=1e-9)


def test_extreme_logits_stay_finite() -> None:
    for logit in (-1e4, 1e4):
        for empty in (-1e4, 1e4):
            outputs = Outputs(torch.full((1, 1, 1), logit), torch.tensor([empty]))
            assert predicted(outputs).isfinite().all()


def test_without_a_head_the_logits_are_the_prediction() -> None:
    logits = torch.randn(2, 3, 3)
    assert predicted(Outputs(logits)) is logits


def test_unguided_upsampling_is_bilinear() -> None:
    features, guide = torch.rand(2, 8, 5, 9), torch.rand(2, 4, 9, 17)
    plain = functional.interpolate(features, (9, 17), mode="bilinear", align_corners=True)
    assert torch.allclose(GuidedUpsampling(8, 4)(features, guide), plain, atol=1e-5)


def test_a_guide_moves_by_pixels_of_the_large_map() -> None:
    features, guide = torch.rand(1, 8, 6, 8), torch.rand(1, 4, 11, 15)
    module = GuidedUpsampling(8, 4).eval()
    with torch.no_grad():
        module.guide.get_submodule("2").get_parameter("bias").copy_(torch.tensor([2.0, 4.0]))
    # With aligned corners 11 x 15 pixels lie at every half of 6 x 8.
    moved = module(features, guide)[..., ::2, ::2]
    assert torch.allclose(moved[..., :-2, :-1], features[..., 2:, 1:], atol=1e-4)


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_context_reaches_from_corner_to_corner(size: int) -> None:
    torch.manual_seed(0)
    parts = ((PyramidPooling(16), 16), (PyramidPooling(16, 4), 4), (PyramidAttention(16), 8))
    for module, outputs in parts:
        features = torch.rand(1, 16, size, size + 1, requires_grad=True)
        context = module.eval()(features)
        assert context.shape == (1, outputs, size, size + 1)
        context[0, :, 0, 0].sum().backward()
        assert features.grad is not None and features.grad[0, :, -1, -1].abs().sum() > 0
