"""All nine stages on one's own data, without a single test crop."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from saltseg.crops.crop_set import load_table
from saltseg.plumbing.files import hash_file, read_json
from saltseg.plumbing.layout import Layout
from stages import (
    coverage_stratify,
    fold_split,
    ingest,
    postprocess_connected_components,
    pseudolabel,
    snapshot_ensemble,
    submit,
    threshold_search,
    train_per_fold,
)
from tests.conftest import shrunk_content
from tests.helpers.own_data import make_images, write_image_folder


def run_all(root: Path, own: dict[str, Any]) -> Layout:
    layout, content = Layout(root), shrunk_content()
    content["ingest"] = {"source": "own", "raw_dir": "data/mine", "own": own}
    layout.params.write_text(yaml.safe_dump(content, sort_keys=False))
    (root / "requirements.lock").write_text("numpy==2")
    for stage in (ingest, coverage_stratify, fold_split):
        stage.main(root)
    for fold in (0, 1):
        pseudolabel.main(root, fold)
        train_per_fold.main(root, "class_unet", fold)
    for last in (snapshot_ensemble, threshold_search, postprocess_connected_components, submit):
        last.main(root)
    return layout


def test_images_without_any_test_crop(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mine"
    write_image_folder(folder, make_images(4, (101, 130)))

    layout = run_all(tmp_path, {})

    assert read_json(layout.result("ingest"))["test"]["crops"] == 0
    submission = layout.data("submit") / "submission.csv"
    assert submission.read_bytes() == b"id,rle_mask\n"
    assert read_json(layout.result("submit"))["crops"] == 0
    assert read_json(layout.score)["score"] >= 0
    folds = load_table(layout.data("fold-split") / "folds.parquet")
    assert folds.groupby("mosaic")["fold"].nunique().max() == 1
    assert set(folds["mosaic"]) == {f"line{number}" for number in range(4)}
    assert pd.read_csv(layout.plots("coverage-stratify") / "depth.csv").empty
    before = hash_file(layout.data("ingest") / "train_images.npy")
    ingest.main(tmp_path)
    assert hash_file(layout.data("ingest") / "train_images.npy") == before
