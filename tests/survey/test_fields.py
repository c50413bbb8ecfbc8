"""Random fields have the moments and lengths that they are asked for; shortcuts are faithful."""

import numpy as np
import pytest
from scipy import ndimage

from saltseg.survey.fields import (
    enlarged,
    rough_field,
    shrunk,
    smooth_curve,
    smooth_field,
    smoothed,
    spectral_noise,
)
from saltseg.survey.grid import SECTION, Field
from saltseg.survey.streams import Nodes, Stream

SIDE = SECTION.height


def rng() -> Stream:
    return Stream(5, ("test",), SECTION, 0, Nodes())


def ring() -> Field:
    return np.exp(-((np.hypot(SECTION.kz, SECTION.kx) - 0.1) ** 2) / 0.001)


@pytest.mark.parametrize(
    "field",
    [
        smooth_field(rng(), 20, 60),
        smooth_field(rng(), 3, 3),
        rough_field(rng(), 20, 20, 2.5),
        smooth_curve(rng(), 40),
        spectral_noise(rng(), ring(), np.full((1, 1), 5, np.float32)),
    ],
)
def test_fields_are_standardised(field: np.ndarray) -> None:
    assert field.shape[-1] == SIDE
    assert field.dtype == np.float32
    assert abs(field.mean()) < 1e-3
    assert field.std() == pytest.approx(1, abs=1e-3)


def test_a_field_is_smoother_along_its_longer_length() -> None:
    field = smooth_field(rng(), 15, 60)
    down, across = np.gradient(field)
    assert down.std() / across.std() == pytest.approx(4, rel=0.3)


@pytest.mark.parametrize("sigma", [3.0, 6.0, 25.0, 60.0])
def test_smoothing_on_block_means_is_gaussian_smoothing(sigma: float) -> None:
    mask = smooth_field(rng(), 60, 60) > 0
    exact = ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="nearest")
    inside = slice(150, -150)  # at the very edge, a block's mean stands for its outermost pixel
    assert np.abs(smoothed(mask, sigma) - exact)[inside, inside].max() < 0.03


def test_enlarging_restores_a_plane_between_block_centres() -> None:
    plane = np.add.outer(np.arange(SIDE), 2 * np.arange(SIDE)).astype(np.float32)
    restored = enlarged(shrunk(plane, 4), 4)
    np.testing.assert_allclose(restored[2:-2, 2:-2], plane[2:-2, 2:-2], rtol=1e-5)


def test_dips_are_measured_in_true_proportions() -> None:
    _, dip = SECTION.dip_frame(2.0)
    assert dip[8, 0] == 0
    assert dip[8, 8] == pytest.approx(np.degrees(np.arctan(0.5)), abs=1e-3)


def test_taper_is_nothing_at_the_edge_and_one_inside() -> None:
    assert SECTION.taper[0].max() == SECTION.taper[:, -1].max() == 0
    assert SECTION.taper[60:-60, 60:-60].min() == 1
