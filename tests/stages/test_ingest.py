"""ingest: the same outputs from the survey and from its files, and old ones replaced."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from saltseg.crops.crop_set import load_crops
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file, read_json
from saltseg.plumbing.layout import Layout
from saltseg.scoring import rle
from saltseg.survey import SurveySet, generate, write_kaggle_layout
from stages import coverage_stratify, ingest

SEED = 2018


@pytest.fixture(scope="module")
def survey() -> SurveySet:
    return generate(24, 8, SEED, workers=1)


@pytest.fixture(scope="module")
def raw(survey: SurveySet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    write_kaggle_layout(folder, survey)
    return folder


@pytest.fixture(scope="module")
def from_survey(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    root = tmp_path_factory.mktemp("from_survey")
    set_up(root, {"source": "survey"})
    ingest.main(root)
    return Layout(root)


@pytest.fixture(scope="module")
def from_files(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    root = tmp_path_factory.mktemp("from_files")
    set_up(root, {"source": "tgs", "raw_dir": str(raw)}, pretraining=6)
    ingest.main(root)
    return Layout(root)


def test_test_crops_without_depths_go_through_where_no_model_reads_them(
    raw: Path, tmp_path: Path
) -> None:
    """On to the distributions of coverage-stratify, which show the depths that are known."""
    folder = shutil.copytree(raw, tmp_path / "raw")
    crops = pd.read_csv(folder / "depths.csv")
    tests = pd.read_csv(folder / "sample_submission.csv")["id"]
    crops[~crops["id"].isin(tests)].to_csv(folder / "depths.csv", index=False)
    set_up(tmp_path, {"source": "tgs", "raw_dir": "raw"})
    ingest.main(tmp_path)
    found = read_json(tmp_path / "results/ingest.json")
    assert found["files"]["test_crops_without_depth"] == len(tests)
    assert "depth_min" in found["train"] and "depth_min" not in found["test"]
    coverage_stratify.main(tmp_path)
    shares = pd.read_csv(tmp_path / "results/plots/coverage-stratify/depth.csv")
    assert shares["depth"].min() >= 0 and shares["test"].sum() == 0

    params = yaml.safe_load((tmp_path / "params.yaml").read_text())
    params["models"]["lite0"]["input"]["channels"] = ["image", "depth"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(
        InputError, match=r"models\.lite0\.input\.channels: reads the depth, which 8"
    ):
        ingest.main(tmp_path)


def set_up(root: Path, values: Mapping[str, Any], pretraining: int = 0) -> None:
    """Write the project's own parameters, shrunk, with other `ingest` values, below `root`."""
    params = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())
    params["base"]["seed"] = SEED
    params["runtime"]["workers"] = 1
    params["survey"] |= {"train": 24, "test": 8, "pretraining": pretraining}
    params["ingest"] |= values
    (root / "params.yaml").write_text(yaml.safe_dump(params))


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hash_file(path) for path in sorted(folder.iterdir())}


def test_the_survey_and_its_files_give_the_same_bytes(
    from_survey: Layout, from_files: Layout
) -> None:
    written = hashes(from_survey.data("ingest"))

    assert len(written) == 4
    assert written == hashes(from_files.data("ingest"))
    assert hashes(from_survey.plots("ingest")) == hashes(from_files.plots("ingest"))


def test_crops_to_pretrain_on_come_beside_those_of_any_source(
    from_survey: Layout, from_files: Layout
) -> None:
    for layout, count in ((from_survey, 0), (from_files, 6)):
        assert np.load(layout.pretraining / "images.npy").shape == (count, 101, 101)
        assert sorted(hashes(layout.pretraining)) == ["depth.npy", "images.npy", "masks.npy"]


def test_both_sources_give_the_same_metrics_but_for_the_files(
    from_survey: Layout, from_files: Layout, survey: SurveySet
) -> None:
    generated = read_json(from_survey.result("ingest"))
    read = read_json(from_files.result("ingest"))

    salt = int(survey.crops.train_masks.any(axis=(1, 2)).sum())
    files = {"masks_16_bit": salt, "masks_8_bit": 24 - salt}
    files |= {"depths_without_crop": 0, "test_crops_without_depth": 0}
    assert read.pop("files") == files
    assert generated.pop("files") == dict.fromkeys(files, 0)
    assert generated == read
    assert generated["train"]["crops"] == 24 and generated["train"]["empty"] == 24 - salt


def test_the_arrays_open_as_the_set_that_the_survey_made(
    from_survey: Layout, survey: SurveySet
) -> None:
    crops = load_crops(from_survey.data("ingest"))

    pd.testing.assert_frame_equal(crops.table, survey.crops.table)
    assert (crops.train_images == survey.crops.train_images).all()
    assert (crops.train_masks == survey.crops.train_masks).all()
    assert (crops.test_images == survey.crops.test_images).all()


def test_the_truth_of_the_survey_lies_apart(from_survey: Layout, survey: SurveySet) -> None:
    truth = pd.read_csv(from_survey.truth / "test.csv", dtype=str, keep_default_na=False)

    assert truth["id"].tolist() == survey.crops.test["id"].tolist()
    assert (rle.decode(truth["rle_mask"].tolist()) == survey.test_masks).all()
    assert (from_survey.truth / "sidecar.csv").is_file()


def test_real_data_leaves_no_truth_of_an_earlier_survey(raw: Path, tmp_path: Path) -> None:
    truth = Layout(tmp_path).truth
    truth.mkdir(parents=True)
    (truth / "test.csv").write_text("id,rle_mask\n")
    set_up(tmp_path, {"source": "tgs", "raw_dir": str(raw)})

    ingest.main(tmp_path)

    assert list(truth.iterdir()) == []


def test_a_relative_folder_lies_below_the_root(tmp_path: Path) -> None:
    set_up(tmp_path, {"source": "tgs", "raw_dir": "data/raw"})

    with pytest.raises(InputError, match="there is no such folder") as caught:
        ingest.main(tmp_path)

    assert str(caught.value).startswith(str(tmp_path / "data" / "raw"))


def test_the_figure_shows_every_crop_of_a_small_set(from_survey: Layout) -> None:
    with Image.open(from_survey.plots("ingest") / "crops.png") as picture:
        width, height = picture.size
    crops = load_crops(from_survey.data("ingest"))
    salty = int(crops.train_masks.any(axis=(1, 2)).sum())
    shown = min(16, salty + min(2, 24 - salty))
    assert width == 1200
    assert round(height / 300) == -(-shown // 4)
