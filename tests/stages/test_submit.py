from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import yaml

from saltseg.config.params import load_params
from saltseg.crops.crop_set import CropSet, save_crops
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
from saltseg.selection.pseudolabels import save_pseudolabels, select
from stages import submit
from tests.conftest import shrunk_content


@pytest.fixture
def layout(tmp_path: Path, small_crops: CropSet) -> Layout:
    """What the earlier stages leave, with the sample's order turned round."""
    layout = Layout(tmp_path)
    table = small_crops.table.copy()
    test = table["split"] == "test"
    table.loc[test, "sample_order"] = table["row"].max() - table.loc[test, "row"]
    layout.params.write_text(yaml.safe_dump(shrunk_content()))
    save_crops(layout.data("ingest"), small_crops)
    write_table(layout.data("coverage-stratify") / "crops.parquet", table)
    masks = small_crops.test_images > 128
    masks[3] = False
    write_array(layout.data("postprocess-connected-components") / "test_masks.npy", masks)
    cleaned = {"score": 0.5, "score_low": 0.4, "score_high": 0.6, "iou": 0.7, "dice": 0.8}
    write_json(layout.result("postprocess-connected-components"), cleaned)
    write_json(layout.data("threshold-search") / "thresholds.json", {"threshold": 0.45})
    labels = select(labelled(small_crops), soft(masks), load_params(layout.params).pseudolabel, 1)
    for fold in (0, 1):
        save_pseudolabels(layout.data("pseudolabel", fold), labels)
    write_text(tmp_path / "requirements.lock", "numpy==2")
    for fold in (0, 1):
        write_text(layout.model("class_unet", fold) / "0.safetensors", str(fold))
    return layout


@pytest.fixture(autouse=True)
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")


def labelled(crops: CropSet) -> pd.DataFrame:
    return crops.test.sort_values("row").assign(black=False)


def soft(masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    return np.where(masks, 0.9, 0.1).astype(np.float32)


def write_truth(layout: Layout, crops: CropSet) -> None:
    masks = np.load(layout.data("postprocess-connected-components") / "test_masks.npy")
    codes = zip(crops.test["id"], rle.encode(masks), strict=True)
    lines = "".join(f"{name},{code}\n" for name, code in codes)
    write_text(layout.truth / "test.csv", "id,rle_mask\n" + lines)


def test_submission_in_the_samples_order(
    layout: Layout, small_crops: CropSet, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(layout.root / "dvc.yaml", "stages: {}")
    submit.main(layout.root)
    path = layout.data("submit") / "submission.csv"
    lines = path.read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == small_crops.test["id"].tolist()[::-1]
    assert lines[-4] == f"{small_crops.test['id'][3]},"
    result = read_json(layout.result("submit"))
    assert result["submission"] == hash_file(path)
    assert result["crops"] == len(small_crops.test)
    assert list(read_json(layout.score).items()) == [
        ("score", 0.5),
        ("score_low", 0.4),
        ("score_high", 0.6),
        ("iou", 0.7),
        ("dice", 0.8),
        ("threshold", 0.45),
    ]
    assert result["empty_share"] >= 1 / len(small_crops.test)
    assert "test_score" not in result
    found = read_json(layout.data("submit") / "manifest.json")
    assert found["submission"] == "md5:" + hash_file(path)
    said = capsys.readouterr().out
    assert "0.5000, 95% interval 0.4000 to 0.6000" in said
    assert str(path) in said


def test_with_the_truth_it_scores_and_repeats_itself(layout: Layout, small_crops: CropSet) -> None:
    write_text(layout.root / "dvc.yaml", "stages: {}")
    write_truth(layout, small_crops)
    submit.main(layout.root)
    pictures = sorted(layout.plots("submit").iterdir())
    names = ["predictions.png", "pseudolabels_0.png", "pseudolabels_1.png"]
    assert [path.name for path in pictures] == names
    outputs = [*layout.data("submit").iterdir(), layout.result("submit"), layout.score, *pictures]
    before = [hash_file(path) for path in outputs]
    assert read_json(layout.score)["test_score"] == 1
    result = read_json(layout.result("submit"))
    assert result["test_score_low"] == result["test_score"] == result["test_score_high"] == 1
    submit.main(layout.root)
    assert [hash_file(path) for path in outputs] == before
