from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_json, write_array
from saltseg.plumbing.layout import Layout
from saltseg.scoring.metric import precision, salt_masks
from stages import threshold_search
from tests.helpers.crops_and_probabilities import lock, write_inputs


def test_threshold_is_chosen_and_scored_on_other_folds(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0, 1, 2])
    threshold_search.main(tmp_path)
    layout = Layout(tmp_path)
    chosen = read_json(layout.data("threshold-search") / "thresholds.json")
    assert 0.3 <= chosen["threshold"] < 0.4
    assert set(chosen["threshold_by_part"]) == {"0", "1", "2"}
    result = read_json(layout.result("threshold-search"))
    assert (result["crops"], result["parts"]) == (60, "folds")
    score = result["score_before_cleaning"]
    assert result["score_before_cleaning_low"] <= score <= result["score_before_cleaning_high"]
    assert score <= result["score_naive"]
    assert result["threshold_low"] <= result["threshold"] <= result["threshold_high"]
    folder = layout.data("snapshot-ensemble")
    folds = pd.read_parquet(folder / "out_of_fold.parquet")["fold"]
    thresholds = np.array([chosen["threshold_by_part"][str(fold)] for fold in folds])
    masks = salt_masks(np.load(folder / "out_of_fold.npy"), thresholds)
    scores = precision(masks, np.load(layout.data("ingest") / "train_masks.npy"))
    assert score == pytest.approx(scores.mean())


def test_curve_is_drawn_over_the_grid(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0, 1])
    threshold_search.main(tmp_path)
    curve = pd.read_csv(Layout(tmp_path).plots("threshold-search") / "curve.csv")
    assert curve.columns.tolist() == ["threshold", "score", "smoothed", "low", "high"]
    assert (curve["low"] <= curve["score"]).all() and (curve["score"] <= curve["high"]).all()
    assert curve["threshold"].iloc[[0, -1]].tolist() == [0.1, 0.9]
    result = read_json(Layout(tmp_path).result("threshold-search"))
    at_chosen = curve.set_index("threshold")["score"].loc[result["threshold"]]
    assert at_chosen == pytest.approx(result["score_naive"], abs=1e-6)
    assert (Layout(tmp_path).plots("threshold-search") / "curve.png").is_file()


def test_a_single_fold_gets_an_honest_score_too(tmp_path: Path) -> None:
    write_inputs(tmp_path, [1])
    threshold_search.main(tmp_path)
    result = read_json(Layout(tmp_path).result("threshold-search"))
    assert (result["crops"], result["parts"]) == (20, "mosaics")
    assert set(result["threshold_by_part"]) <= set("01234")
    assert len(result["threshold_by_part"]) > 1


def test_scores_are_quoted_on_locked_folds_and_thresholds_chosen_on_all(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0, 1, 2])
    threshold_search.main(tmp_path)
    result = Layout(tmp_path).result("threshold-search")
    every = read_json(result)
    lock(tmp_path, [1, 2])
    threshold_search.main(tmp_path)
    locked = read_json(result)
    assert (locked["crops"], locked["locked_folds"]) == (40, "1, 2")
    assert locked["threshold_by_part"] == every["threshold_by_part"]
    assert locked["score_by_part"] == {fold: every["score_by_part"][fold] for fold in "12"}
    mean = sum(locked["score_by_part"].values()) / 2  # of 20 crops each
    assert locked["score_before_cleaning"] == pytest.approx(mean)
    assert "locked_folds" not in every


def test_probabilities_of_another_run_are_refused(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0, 1])
    folder = Layout(tmp_path).data("snapshot-ensemble")
    write_array(folder / "out_of_fold.npy", np.load(folder / "out_of_fold.npy")[1:])
    with pytest.raises(InputError, match=r"out_of_fold.parquet: 40 lines for 39 crops"):
        threshold_search.main(tmp_path)


def test_crops_of_another_run_are_refused(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0, 1])
    path = Layout(tmp_path).data("coverage-stratify") / "crops.parquet"
    table = pd.read_parquet(path)
    table.loc[table["id"] == "train00001", "row"] = 99
    table.to_parquet(path)
    with pytest.raises(InputError, match="1 out-of-fold crops are not in their row: train00001"):
        threshold_search.main(tmp_path)
