import numpy as np
import pandas as pd
import pytest

from saltseg.reports.error_report import mask_kinds, mean_scores_by
from saltseg.selection.out_of_fold import OutOfFold
from saltseg.selection.postprocess import Cleaning


def test_scores_by_class() -> None:
    before, after = np.array([0.0, 0.4, 0.2, 0.6]), np.array([1.0, 0.5, 0.0, 0.7])
    cleaning = Cleaning(True, (5, 5), {0: (5, 5)}, before, after)
    table = mean_scores_by("coverage_class", [2, 0, 2, 0], cleaning)
    assert table.columns.tolist() == ["coverage_class", "crops", "before", "after"]
    assert table["coverage_class"].tolist() == [0, 2]
    assert table["crops"].tolist() == [2, 2]
    assert table["before"].tolist() == pytest.approx([0.5, 0.1])
    assert table["after"].tolist() == pytest.approx([0.6, 0.5])


def test_kinds_of_masks() -> None:
    truth = np.zeros((4, 101, 101), bool)
    truth[1, :10, :10] = True
    truth[2, :, 50:] = True
    truth[3, 50:] = True
    table = pd.DataFrame({"vertical": [False, False, True, False]})
    crops = OutOfFold(truth.astype(np.float16), truth, table, np.zeros(4, np.int64))
    assert mask_kinds(crops) == ["empty", "tiny", "vertical", "common"]
