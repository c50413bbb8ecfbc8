from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from saltseg.plumbing.files import read_json, write_array
from saltseg.plumbing.layout import Layout
from saltseg.scoring.metric import precision, salt_masks
from stages import postprocess_connected_components, threshold_search
from tests.helpers.crops_and_probabilities import lock, write_inputs

NAME = "postprocess-connected-components"


def run_stages(root: Path) -> Layout:
    threshold_search.main(root)
    postprocess_connected_components.main(root)
    return Layout(root)


def test_specks_are_removed_and_the_gain_is_told(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0, 1, 2])
    layout = run_stages(tmp_path)
    result = read_json(layout.result(NAME))
    assert result["helps"] is True
    assert result["salt_size"] == 10
    gain = result["score"] - result["score_before_cleaning"]
    assert gain > 0 and result["score_gain"] == pytest.approx(gain)
    before = read_json(layout.result("threshold-search"))["score_before_cleaning"]
    assert result["score_before_cleaning"] == pytest.approx(before)
    truth = np.load(layout.data("ingest") / "train_masks.npy")
    out_of_fold = np.load(layout.data(NAME) / "out_of_fold_masks.npy")
    assert result["score"] == pytest.approx(precision(out_of_fold, truth).mean())
    by_crop = pd.read_parquet(layout.data(NAME) / "out_of_fold_scores.parquet")
    assert by_crop.columns.tolist() == [
        *("id", "fold", "mosaic", "before", "after", "over_thresholds")
    ]
    np.testing.assert_array_equal(by_crop["after"], precision(out_of_fold, truth))
    assert by_crop["before"].mean() == pytest.approx(before)
    probabilities = np.load(layout.data("snapshot-ensemble") / "out_of_fold.npy")
    fixed = [precision(salt_masks(probabilities, at / 100), truth) for at in range(40, 61)]
    np.testing.assert_allclose(by_crop["over_thresholds"], np.mean(fixed, axis=0))
    assert result["score_over_thresholds"] == pytest.approx(np.mean(fixed))
    test = np.load(layout.data(NAME) / "test_masks.npy")
    assert test.shape == (20, 101, 101)
    np.testing.assert_array_equal(test, truth[:20])


def test_scores_by_kinds_of_crops_count_every_crop(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0, 1, 2])
    layout = run_stages(tmp_path)
    mean = read_json(layout.result(NAME))["score"]
    columns = {"by_coverage": "coverage_class", "by_depth": "depth", "by_mask": "mask"}
    for name, column in columns.items():
        table = pd.read_csv(layout.plots(NAME) / f"{name}.csv")
        assert table.columns[:4].tolist() == [column, "crops", "score_before", "score"]
        assert table["crops"].sum() == 60
        assert np.average(table["score"], weights=table["crops"]) == pytest.approx(mean, abs=1e-5)
    kinds = pd.read_csv(layout.plots(NAME) / "by_mask.csv", index_col="mask")["crops"]
    assert kinds["empty"] == 15 and set(kinds.index) <= {"empty", "tiny", "vertical", "common"}
    assert (layout.plots(NAME) / "worst.png").is_file()


def test_the_score_is_quoted_on_locked_folds_alone(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0, 1, 2])
    lock(tmp_path, [2])
    layout = run_stages(tmp_path)
    by_crop = pd.read_parquet(layout.data(NAME) / "out_of_fold_scores.parquet")
    own = by_crop[by_crop["fold"] == 2]
    result = read_json(layout.result(NAME))
    assert (len(by_crop), result["crops"], result["locked_folds"]) == (60, 20, "2")
    assert result["score"] == pytest.approx(own["after"].mean())
    assert result["score_over_thresholds"] == pytest.approx(own["over_thresholds"].mean())
    assert result["score_low"] <= result["score"] <= result["score_high"]
    assert set(result["salt_size_by_part"]) == {"0", "1", "2"}


def test_nothing_changes_where_nothing_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_inputs(tmp_path, [0, 1, 2])
    layout = Layout(tmp_path)
    truth = np.load(layout.data("ingest") / "train_masks.npy")
    write_array(layout.data("snapshot-ensemble") / "out_of_fold.npy", truth.astype(np.float16))
    run_stages(tmp_path)
    result = read_json(layout.result(NAME))
    assert result["helps"] is False
    assert (result["salt_size"], result["hole_size"]) == (0, 0)
    assert result["score"] == result["score_before_cleaning"] == result["iou"] == 1
    assert "no sizes raise the nested score" in capsys.readouterr().out
    test = np.load(layout.data(NAME) / "test_masks.npy")
    assert test[:, 5:8, 5:8].all()


def test_outputs_are_the_same_each_time(tmp_path: Path) -> None:
    write_inputs(tmp_path, [0])
    hashes = []
    for _ in range(2):
        run_stages(tmp_path)
        files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
        hashes.append([(path.name, sha256(path.read_bytes()).hexdigest()) for path in files])
    assert hashes[0] == hashes[1]
