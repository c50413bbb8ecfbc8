"""The layout on disk: Kaggle's, with its traps, and the truths apart."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from saltseg.scoring import rle
from saltseg.survey import SurveySet, write_kaggle_layout


@pytest.fixture(scope="module")
def folder(survey: SurveySet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("survey")
    write_kaggle_layout(folder, survey)
    return folder


def read_csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def png(content: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image)


def test_images_are_rgb_with_equal_channels(folder: Path, survey: SurveySet) -> None:
    crops = survey.crops
    for split, table, images in (
        ("train", crops.train, crops.train_images),
        ("test", crops.test, crops.test_images),
    ):
        with zipfile.ZipFile(folder / f"{split}.zip") as archive:
            for name, expected in zip(table["id"], images, strict=True):
                image = png(archive.read(f"images/{name}.png"))
                np.testing.assert_array_equal(image, np.stack([expected] * 3, axis=2))


def test_masks_have_16_bits_where_there_is_salt_and_8_where_not(
    folder: Path, survey: SurveySet
) -> None:
    with zipfile.ZipFile(folder / "train.zip") as archive:
        for name, expected in zip(survey.crops.train["id"], survey.crops.train_masks, strict=True):
            mask = png(archive.read(f"masks/{name}.png"))
            assert mask.dtype == (np.uint16 if expected.any() else np.uint8)
            np.testing.assert_array_equal(mask, expected * np.uint16(65535))


def test_tables(folder: Path, survey: SurveySet) -> None:
    crops = survey.crops
    train = read_csv(folder / "train.csv")
    assert train["id"].tolist() == crops.train["id"].tolist()
    np.testing.assert_array_equal(rle.decode(train["rle_mask"].tolist()), crops.train_masks)
    depths = read_csv(folder / "depths.csv").set_index("id")["z"].astype(int)
    expected = crops.table.set_index("id")["depth"]
    assert depths.sort_index().to_dict() == expected.sort_index().to_dict()
    sample = read_csv(folder / "sample_submission.csv")
    assert sample["id"].tolist() == crops.test.sort_values("sample_order")["id"].tolist()
    assert set(sample["rle_mask"]) == {"1 1"}


def test_test_truths_lie_in_the_truth_folder_only(folder: Path, survey: SurveySet) -> None:
    truth = read_csv(folder / "truth" / "test.csv")
    assert truth["id"].tolist() == survey.crops.test["id"].tolist()
    np.testing.assert_array_equal(rle.decode(truth["rle_mask"].tolist()), survey.test_masks)
    outside = {path.name for path in folder.iterdir()}
    tables = {"train.csv", "depths.csv", "sample_submission.csv"}
    assert outside == {"train.zip", "test.zip", "truth"} | tables
    with zipfile.ZipFile(folder / "test.zip") as archive:
        assert all(name.startswith("images/") for name in archive.namelist())
    assert not set(read_csv(folder / "train.csv")["id"]) & set(truth["id"])


def test_the_same_survey_gives_the_same_bytes(
    folder: Path, survey: SurveySet, tmp_path: Path
) -> None:
    write_kaggle_layout(tmp_path, survey)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) == 7
    for path in files:
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_folders_hold_what_the_zips_hold(folder: Path, survey: SurveySet, tmp_path: Path) -> None:
    write_kaggle_layout(tmp_path, survey, zipped=False)
    for split in ("train", "test"):
        with zipfile.ZipFile(folder / f"{split}.zip") as archive:
            for name in archive.namelist():
                assert (tmp_path / split / name).read_bytes() == archive.read(name)
