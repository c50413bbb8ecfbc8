"""The choice of crops keeps what masks look like at the real shares."""

import numpy as np
import pytest

from saltseg.survey import SurveySet
from saltseg.survey.balance import TOLERANCE, TRAIT_SHARES, Balance, traits


def mask(*rectangles: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros((101, 101), np.bool_)
    for rectangle in rectangles:
        mask[rectangle] = True
    return mask


@pytest.mark.parametrize(
    ("rectangles", "expected"),
    [
        ([np.s_[:, 30:40]], [1, 1, 1, 0, 0, 0, 0]),
        ([np.s_[90:, :50]], [0, 0, 1, 1, 0, 0, 0]),
        ([np.s_[5:9, 5:9], np.s_[:50, 90:]], [0, 1, 0, 0, 1, 1, 0]),
        ([np.s_[5:9, 5:9], np.s_[20:30, 5:9], np.s_[40:50, 5:9]], [0, 0, 0, 0, 0, 0, 1]),
    ],
)
def test_traits(rectangles: list[tuple[slice, slice]], expected: list[int]) -> None:
    assert traits(mask(*rectangles)).astype(int).tolist() == expected


def test_a_balance_stays_within_its_tolerance_of_the_real_shares() -> None:
    """Candidates that are far off, half of them without what they lack, give a set that is not."""
    rng, balance, wanted = np.random.default_rng(0), Balance(1000), 1000
    chosen: list[np.ndarray] = []
    while len(chosen) < wanted:
        candidate = rng.random(TRAIT_SHARES.shape) < 0.5
        if balance.allows(candidate):
            balance.add(candidate)
            chosen.append(candidate)
    shares = np.mean(chosen, axis=0)
    assert np.abs(shares - TRAIT_SHARES).max() < TOLERANCE + 0.004


def test_a_balance_prefers_what_is_missing() -> None:
    balance = Balance(100)
    column, none = traits(mask(np.s_[:, 30:40])), traits(mask(np.s_[50:60, 30:40]))
    for _ in range(5):
        balance.add(none)
    assert balance.pull(column) < balance.pull(none)


def test_a_survey_has_the_real_shares(survey: SurveySet) -> None:
    salt = survey.crops.train_masks[survey.crops.train_masks.any(axis=(1, 2))]
    shares = np.mean([traits(each) for each in salt], axis=0)
    assert np.abs(shares - TRAIT_SHARES).max() < 0.1
