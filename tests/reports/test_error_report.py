import numpy as np
import pandas as pd
import pytest

from saltseg.reports.error_report import Errors, losses_by_kind, losses_by_mask, measures_by
from saltseg.selection.out_of_fold import OutOfFold
from saltseg.selection.postprocess import Cleaning
from saltseg.selection.sizes import ChosenSizes


def known(truth: np.ndarray, vertical: list[bool]) -> OutOfFold:
    table = pd.DataFrame({"vertical": vertical})
    parts = np.zeros(len(truth), np.int64)
    return OutOfFold(truth.astype(np.float16), truth, table, parts)


@pytest.fixture
def errors() -> Errors:
    """Four crops: found, half found, falsely found, and without salt."""
    truth, masks = (np.zeros((4, 101, 101), bool) for _ in range(2))
    truth[0, 20:60], masks[0, 20:60] = True, True
    truth[1, :80], masks[1, :40] = True, True
    masks[2, :10] = True
    before, after = np.array([0.0, 0.4, 0.2, 0.6]), np.array([1.0, 0.5, 0.0, 1.0])
    cleaning = Cleaning(ChosenSizes(True, (5, 5), {0: (5, 5)}), before, after)
    return Errors(known(truth, [False] * 4), masks, cleaning)


def test_measures_by_class(errors: Errors) -> None:
    table = measures_by("coverage_class", [4, 4, 0, 0], errors).set_index("coverage_class")
    assert table["crops"].to_dict() == {0: 2, 4: 2}
    expected = {
        "score_before": [0.4, 0.2],
        "score": [0.5, 0.75],
        "iou": [0.5, 0.75],
        "dice": [0.5, (1 + 2 / 3) / 2],
        "boundary_distance": [np.nan, 20.0],
        "pixel_precision": [0.0, 1.0],
        "pixel_recall": [np.nan, 80 / 120],
    }
    assert table.columns.tolist() == ["crops", *expected]
    for name, values in expected.items():
        np.testing.assert_allclose(table[name], values, err_msg=name)


def test_means_leave_out_what_no_crop_has(errors: Errors) -> None:
    assert errors.means() == pytest.approx(
        {"iou": 0.625, "dice": 2 / 3, "boundary_distance": 20.0, "score_over_thresholds": 1.0}
    )
    nothing = Errors(errors.crops, np.zeros_like(errors.masks), errors.cleaning)
    assert set(nothing.means()) == {"iou", "dice", "score_over_thresholds"}


def test_what_each_kind_of_error_costs(errors: Errors) -> None:
    table = losses_by_kind(errors).set_index("error")
    assert table["crops"].sum() == 2
    assert table["score_lost"].sum() == pytest.approx((0.5 + 1.0) / 4)


def test_what_each_kind_of_mask_costs_and_what_it_is_called(errors: Errors) -> None:
    """Of four crops, the half found costs an eighth, the false one a quarter."""
    table = losses_by_mask(errors).set_index("mask")
    assert table.index.tolist() == ["empty", "tiny", "vertical", "common"]
    expected = {
        "crops": [2, 0, 0, 2],
        "called_empty": [1, 0, 0, 0],
        "called_salt": [1, 0, 0, 2],
        "score_lost": [0.25, 0, 0, 0.125],
    }
    assert table.to_dict("list") == expected
    nothing = Errors(errors.crops, np.zeros_like(errors.masks), errors.cleaning)
    assert losses_by_mask(nothing)["called_empty"].tolist() == [2, 0, 0, 2]
