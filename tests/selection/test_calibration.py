import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize

from saltseg.selection.calibration import (
    Calibration,
    count_pixels,
    fit,
    judge,
    reliability,
    together,
)

Half = npt.NDArray[np.float16]
Truth = npt.NDArray[np.bool_]


def overconfident(crops: int = 40, seed: int = 3) -> tuple[Half, Truth]:
    """Return what is said of pixels and their truth: logits twice too large, and .5 too low."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (crops, 12, 12))
    truth = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
    said = 1 / (1 + np.exp(-(2 * logits - 0.5)))
    return said.astype(np.float16), truth


def test_the_fit_is_that_of_a_plain_minimisation() -> None:
    said, truth = overconfident()
    found = fit(together(count_pixels(said, truth)))
    p = np.clip(said.astype(np.float64), 2.0**-12, 1 - 2.0**-12).ravel()
    x, y = np.log(p / (1 - p)), truth.ravel()

    def loss(at: npt.NDArray[np.float64]) -> float:
        line = at[0] * x + at[1]
        return float(np.where(y, np.logaddexp(0, -line), np.logaddexp(0, line)).sum())

    slow = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7}).x
    assert (found.slope, found.offset) == pytest.approx(slow, abs=1e-4)
    assert (found.slope, found.offset) == pytest.approx((0.5, 0.25), abs=0.05)


def test_calibrated_probabilities_mean_what_they_say_on_other_crops() -> None:
    said, truth = overconfident()
    found = judge(count_pixels(said, truth), np.arange(40) % 4)
    assert found.after.error < 0.3 * found.before.error
    assert found.after.log_loss < found.before.log_loss
    assert set(found.by_part) == {0, 1, 2, 3}


def test_a_part_is_calibrated_without_its_own_crops() -> None:
    said, truth = overconfident()
    parts = np.arange(40) % 2
    lied = truth.copy()
    lied[parts == 0] = ~truth[parts == 0]
    honest, wrong = (judge(count_pixels(said, each), parts).by_part for each in (truth, lied))
    assert honest[0] == wrong[0] and honest[1] != wrong[1]


def test_the_error_is_that_of_plain_bins() -> None:
    said, truth = overconfident(4)
    found = reliability(together(count_pixels(said, truth)))
    p, y, error = said.astype(np.float64).ravel(), truth.ravel(), 0.0
    for low in np.arange(20) / 20:
        here = (p >= low) & ((p < low + 0.05) if low < 0.95 else (p <= 1))
        error += abs((p[here] - y[here]).sum())
    assert found.error == pytest.approx(error / len(p))
    assert found.share.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        (np.full((1, 2, 2), 0.3), np.zeros((1, 2, 2))),
        (np.full((1, 2, 2), 0.3), np.ones((1, 2, 2))),
        (np.full((1, 2, 2), 0.3), np.eye(2)[None]),
        (np.eye(2)[None], 1 - np.eye(2)[None]),
    ],
    ids=["no salt", "all salt", "all alike", "the wrong way round"],
)
def test_pixels_that_teach_nothing_change_nothing(
    said: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]
) -> None:
    counted = count_pixels(said.astype(np.float16), truth.astype(bool))
    assert fit(together(counted)) == Calibration()


def test_perfect_separation_stays_finite_and_keeps_the_order() -> None:
    said = np.array([[[0.0, 0.2], [0.7, 1.0]]], np.float16)
    found = fit(together(count_pixels(said, said > 0.5)))
    moved = found.apply(said)
    assert np.isfinite(moved).all() and (np.diff(moved.ravel()) >= 0).all()
