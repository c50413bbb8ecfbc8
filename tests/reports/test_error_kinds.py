"""Kinds of errors, on masks whose kind is plain to see."""

import numpy as np
import pytest

from saltseg.reports.error_kinds import KINDS, error_kinds, worst_of

MISSED, FALSE, BOUNDARY, NOISE = KINDS


def masks() -> tuple[np.ndarray, np.ndarray]:
    truth, predicted = (np.zeros((7, 40, 40), bool) for _ in range(2))
    truth[:, 10:30, 10:30] = True
    truth[2] = False
    predicted[0, 10:30, 10:30] = True  # right
    predicted[2, 5:20, 5:20] = True  # false; 1 is missed
    predicted[3, 11:31, 10:30] = True  # one row too low
    predicted[4] = predicted[1]  # missed, against a confident model
    truth[5] = False
    truth[5, :, 20:] = True  # vertical
    predicted[5, :, 22:] = True
    predicted[6, 10:30, 10:30] = True
    return truth, predicted


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_kinds(order: slice) -> None:
    truth, predicted = masks()
    probabilities = np.where(predicted, 0.75, 0.25)
    probabilities[0] = np.where(truth[0], 0.99, 0.01)
    probabilities[6] = probabilities[0]
    probabilities[4] = np.where(truth[4], 0.001, 0.01)
    vertical = np.arange(7) == 5
    kinds = error_kinds(
        predicted[order],
        truth[order],
        probabilities[order].astype(np.float16),
        vertical[order],
    )
    expected = ["", MISSED, FALSE, BOUNDARY, NOISE, NOISE, ""]
    assert kinds.tolist() == expected[order]


def test_the_worst_of_a_kind_come_first() -> None:
    kinds = np.array([FALSE, MISSED, FALSE, FALSE])
    scores, wrong = np.array([0.5, 0.0, 0.0, 0.0]), np.array([9, 9, 3, 5])
    assert worst_of(FALSE, kinds, scores, wrong, 2).tolist() == [3, 2]
    assert worst_of(BOUNDARY, kinds, scores, wrong, 2).tolist() == []
