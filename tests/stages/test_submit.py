import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from saltseg.config.params import load_params
from saltseg.crops.crop_set import load_array, load_table
from saltseg.inference.spot_check import CROPS, check_predictions, choose_crops
from saltseg.models.snapshots import load_snapshot, save_snapshots, snapshot_path
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import (
    hash_file,
    read_json,
    write_array,
    write_json,
    write_table,
    write_text,
)
from saltseg.plumbing.layout import Layout
from saltseg.scoring import rle
from stages import postprocess_connected_components as cleaning
from stages import snapshot_ensemble, submit

CLEAN = cleaning.NAME
CLEANED = {"score": 0.5, "score_low": 0.4, "score_high": 0.6, "iou": 0.7, "dice": 0.8}


@pytest.fixture
def layout(tmp_path: Path, trained: Layout) -> Layout:
    """What the earlier stages leave, with the sample's order turned round and a known score."""
    layout = Layout(tmp_path / "project")
    shutil.copytree(trained.root, layout.root, copy_function=os.link)
    shutil.rmtree(layout.data("submit"))
    file = layout.data("coverage-stratify") / "crops.parquet"
    table = load_table(file)
    test = table["split"] == "test"
    table.loc[test, "sample_order"] = table["row"].max() - table.loc[test, "row"]
    write_table(file, table)
    write_json(layout.result("postprocess-connected-components"), CLEANED)
    return layout


@pytest.fixture(autouse=True)
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")


def masks_of(layout: Layout) -> np.ndarray:
    return load_array(layout.data("postprocess-connected-components") / "test_masks.npy")


def table_of(layout: Layout) -> pd.DataFrame:
    table = load_table(layout.data("ingest") / "crops.parquet")
    return table[table["split"] == "test"]


def check(layout: Layout) -> str:
    seed = load_params(layout.params).base.seed
    return check_predictions(layout, table_of(layout), masks_of(layout), seed)


def test_submission_in_the_samples_order_scored_and_repeated(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(layout.root / "dvc.yaml", "stages: {}")
    masks, ids = masks_of(layout), table_of(layout)["id"].tolist()
    submit.main(layout.root)
    path = layout.data("submit") / "submission.csv"
    lines = path.read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ids[::-1]
    assert lines[-4] == f"{ids[3]},{rle.encode(masks[[3]])[0]}"
    result = read_json(layout.result("submit"))
    assert result["submission"] == hash_file(path)
    assert result["crops"] == len(ids)
    score = read_json(layout.score)
    threshold = score.pop("threshold")
    assert threshold == read_json(layout.data("threshold-search") / "thresholds.json")["threshold"]
    assert list(score.items()) == [*CLEANED.items()]
    assert result["empty_share"] == (~masks.any(axis=(1, 2))).mean()
    assert "test_score" not in result
    found = read_json(layout.data("submit") / "manifest.json")
    assert found["submission"] == "md5:" + hash_file(path)
    said = capsys.readouterr().out
    assert "0.5000, 95% interval 0.4000 to 0.6000" in said
    assert str(path) in said
    assert (
        f"submit: {CROPS} test crops predicted again in a fresh process differ by at most 0.0"
        in said
    )

    codes = "".join(f"{name},{code}\n" for name, code in zip(ids, rle.encode(masks), strict=True))
    write_text(layout.truth / "test.csv", "id,rle_mask\n" + codes)
    pictures = sorted(layout.plots("submit").iterdir())
    names = ["predictions.png", "pseudolabels_0.png", "pseudolabels_1.png"]
    assert [path.name for path in pictures] == names
    outputs = [*layout.data("submit").iterdir(), *pictures]
    before = {path: hash_file(path) for path in outputs}
    submit.main(layout.root)
    after = {path: hash_file(path) for path in outputs}
    assert "submission.csv" not in {path.name for path in outputs if before[path] != after[path]}
    assert before[pictures[0]] != after[pictures[0]], "the truth changes the picture"
    result = read_json(layout.result("submit"))
    assert read_json(layout.score)["test_score"] == 1
    assert result["test_score_low"] == result["test_score"] == result["test_score_high"] == 1


def test_predictions_of_other_networks_are_refused(layout: Layout) -> None:
    """As of version 0.1.0: a snapshot predicted with the biases of the next."""
    folder = layout.model("class_unet", 0)
    first, last = (load_snapshot(snapshot_path(folder, number)) for number in (0, 1))
    mixed = {name: last[name] if each.ndim == 1 else each for name, each in first.items()}
    save_snapshots(folder, [mixed, last])
    with pytest.raises(InputError, match=r"test\.npy: crop \w+: its probabilities differ by 0\.\d"):
        submit.main(layout.root)
    assert not layout.data("submit").exists()


def test_one_wrong_crop_is_named(layout: Layout) -> None:
    file = layout.data("snapshot-ensemble") / "test.npy"
    chosen = choose_crops(table_of(layout), load_params(layout.params).base.seed)
    name, row = chosen[["id", "row"]].iloc[2]
    values = load_array(file).copy()
    values[row] = values[row, :, ::-1]
    write_array(file, values)
    with pytest.raises(InputError, match=rf"crop {name}: .* by 0\.\d+ on average") as caught:
        check(layout)
    assert "\n" not in str(caught.value) and "--single-item snapshot-ensemble" in str(caught.value)


def test_masks_of_other_probabilities_are_refused(layout: Layout) -> None:
    chosen = choose_crops(table_of(layout), load_params(layout.params).base.seed)
    name, row = chosen[["id", "row"]].iloc[-1]
    masks = masks_of(layout).copy()
    masks[row, 50:52] = ~masks[row, 50:52]
    write_array(layout.data("postprocess-connected-components") / "test_masks.npy", masks)
    with pytest.raises(InputError, match=rf"test_masks\.npy: crop {name}: 202 pixels differ from"):
        check(layout)


def test_a_damaged_snapshot_is_named_in_one_line(layout: Layout) -> None:
    path = snapshot_path(layout.model("class_unet", 1), 0)
    path.unlink()
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"predicted again.*1/snapshot_0\.safetensors: cannot"):
        check(layout)


def test_a_run_without_test_crops_has_the_same_scores_and_no_submission(layout: Layout) -> None:
    params = yaml.safe_load(layout.params.read_text())
    params["snapshot_ensemble"]["predict_test"] = False
    write_text(layout.params, yaml.safe_dump(params))
    files = ["snapshot-ensemble/out_of_fold.npy", f"{CLEAN}/out_of_fold_scores.parquet"]
    before = [hash_file(layout.root / "data" / name) for name in files]
    for stage, module in (("snapshot-ensemble", snapshot_ensemble), (CLEAN, cleaning)):
        shutil.rmtree(layout.data(stage))
        module.main(layout.root)
    assert [hash_file(layout.root / "data" / name) for name in files] == before
    assert len(masks_of(layout)) == 0
    with pytest.raises(InputError, match=r"predict_test: false: .* set it to true and run again"):
        submit.main(layout.root)
    assert not layout.data("submit").exists()


@pytest.mark.parametrize("count", [1, 5, 8, 300, 18_000])
def test_crops_are_drawn_from_all_rows_by_id(count: int) -> None:
    table = pd.DataFrame({"id": [f"{n:x}" for n in range(count)], "row": np.arange(count)})
    chosen = choose_crops(table, seed=3)
    assert len(chosen) == min(count, CROPS)
    eighths = [part for part in np.array_split(np.arange(count), CROPS) if len(part)]
    for row, part in zip(chosen["row"], eighths, strict=True):
        assert row in part
    shuffled = table.sample(frac=1, random_state=0)
    assert choose_crops(shuffled, seed=3)["id"].tolist() == chosen["id"].tolist()
    assert count < 100 or choose_crops(table, seed=4)["id"].tolist() != chosen["id"].tolist()
