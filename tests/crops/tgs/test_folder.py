"""Wherever Kaggle's files lie, the same crops are read; what is not there is asked for."""

import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from saltseg.crops.crop_set import CropSet
from saltseg.crops.tgs import read_raw
from saltseg.plumbing.errors import InputError
from saltseg.survey import SurveySet

DOWNLOAD = "kaggle competitions download -c tgs-salt-identification-challenge -p "


def assert_same(actual: CropSet, expected: CropSet) -> None:
    pd.testing.assert_frame_equal(actual.table, expected.table)
    for name in ("train_images", "train_masks", "test_images"):
        left, right = getattr(actual, name), getattr(expected, name)
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


def pack(path: Path, folder: Path, files: Sequence[Path]) -> None:
    """Zip `files` in the order given, compressed, named as they lie in `folder`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.relative_to(folder))


def unpack(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    path.unlink()


def test_zips_as_downloaded(zipped: Path, survey: SurveySet) -> None:
    assert_same(read_raw(zipped, 2)[0], survey.crops)


def test_folders_as_unpacked(unpacked: Path, survey: SurveySet) -> None:
    assert_same(read_raw(unpacked, 2)[0], survey.crops)


def test_zips_unpacked_in_place_into_one_folder_of_images(zipped: Path, survey: SurveySet) -> None:
    for name in ("train.zip", "test.zip"):
        unpack(zipped / name, zipped)
    assert len(list((zipped / "images").iterdir())) == 32

    assert_same(read_raw(zipped, 2)[0], survey.crops)


def test_one_zip_unpacked_in_place_and_the_other_not(zipped: Path, survey: SurveySet) -> None:
    unpack(zipped / "train.zip", zipped)

    assert_same(read_raw(zipped, 2)[0], survey.crops)


@pytest.mark.parametrize("layout", ["zipped", "unpacked"])
def test_one_outer_zip(layout: str, pristine: Path, tmp_path: Path, survey: SurveySet) -> None:
    folder = pristine / layout
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    (tmp_path / "raw").mkdir()
    pack(tmp_path / "raw" / "tgs-salt-identification-challenge.zip", folder, files)

    assert_same(read_raw(tmp_path / "raw", 2)[0], survey.crops)


def test_what_is_more_unpacked_is_taken(zipped: Path, survey: SurveySet) -> None:
    """An outer zip left beside its content, a zip beside its folder: nothing counts twice."""
    name = survey.crops.train["id"][0]
    unpack(zipped / "train.zip", zipped / "train")
    with zipfile.ZipFile(zipped / "train.zip", "w") as archive:
        archive.writestr(f"images/{name}.png", b"not to be read")
        archive.writestr("train.csv", b"not to be read")
    pack(zipped / "all.zip", zipped, [zipped / "train.zip", zipped / "test.zip"])

    assert_same(read_raw(zipped, 2)[0], survey.crops)


def test_tables_zipped_one_by_one(zipped: Path, survey: SurveySet) -> None:
    for name in ("train.csv", "depths.csv", "sample_submission.csv"):
        pack(zipped / f"{name}.zip", zipped, [zipped / name])
        (zipped / name).unlink()

    assert_same(read_raw(zipped, 2)[0], survey.crops)


def test_order_and_workers_change_nothing(unpacked: Path, survey: SurveySet) -> None:
    files = sorted((unpacked / "train").rglob("*.png"))
    shuffled = np.random.default_rng(3).permutation(np.array(files, dtype=object))
    pack(unpacked / "train.zip", unpacked / "train", shuffled.tolist())
    shutil.rmtree(unpacked / "train")
    for name in ("train.csv", "depths.csv"):
        table = pd.read_csv(unpacked / name, dtype=str).sample(frac=1, random_state=4)
        table.to_csv(unpacked / name, index=False)

    for workers in (0, 1, 3):
        assert_same(read_raw(unpacked, workers)[0], survey.crops)


def test_litter_of_operating_systems_is_ignored(zipped: Path, survey: SurveySet) -> None:
    name = survey.crops.train["id"][0]
    with zipfile.ZipFile(zipped / "train.zip", "a") as archive:
        archive.writestr(f"__MACOSX/images/{name}.png", b"litter")
        archive.writestr(f"images/._{name}.png", b"litter")
        archive.writestr("images/", b"")
    (zipped / ".DS_Store").write_bytes(b"litter")
    (zipped / "images").mkdir()
    (zipped / "images" / ".hidden.png").write_bytes(b"litter")
    (zipped / "images" / "Thumbs.db").write_bytes(b"litter")

    assert_same(read_raw(zipped, 2)[0], survey.crops)


@pytest.mark.parametrize("exists", [True, False])
def test_an_empty_folder_gets_the_command_that_fills_it(exists: bool, tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    if exists:
        folder.mkdir()
        (folder / ".gitignore").write_text("*\n")

    with pytest.raises(InputError) as caught:
        read_raw(folder, 1)

    message = str(caught.value)
    what = "holds none of Kaggle's files" if exists else "there is no such folder"
    assert message.startswith(f"{folder}: {what}; accept the rules on https:")
    assert message.endswith(DOWNLOAD + str(folder))


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("train.csv", "train.csv"),
        ("depths.csv", "depths.csv"),
        ("sample_submission.csv", "sample_submission.csv"),
        ("train.zip", "train/images (of train.zip), train/masks (of train.zip)"),
        ("test.zip", "test/images (of test.zip)"),
    ],
)
def test_missing_files_are_named(name: str, lacks: str, zipped: Path) -> None:
    (zipped / name).unlink()

    with pytest.raises(InputError) as caught:
        read_raw(zipped, 1)

    assert f"{zipped}: lacks {lacks}; accept the rules" in str(caught.value)
    assert str(caught.value).endswith(DOWNLOAD + str(zipped))


def test_all_missing_files_are_named_together(zipped: Path) -> None:
    (zipped / "depths.csv").unlink()
    (zipped / "test.zip").unlink()

    with pytest.raises(InputError, match=r"lacks depths\.csv, test/images \(of test\.zip\); "):
        read_raw(zipped, 1)


def test_a_broken_zip_is_named(zipped: Path) -> None:
    content = (zipped / "train.zip").read_bytes()
    (zipped / "train.zip").write_bytes(content[: len(content) // 2])

    with pytest.raises(InputError, match=r"train\.zip: cannot be opened \(.*\); download it again"):
        read_raw(zipped, 1)


def test_a_table_in_two_folders_is_refused(unpacked: Path) -> None:
    shutil.copy(unpacked / "depths.csv", unpacked / "train" / "depths.csv")

    with pytest.raises(InputError, match=r"depths\.csv in several places, 1 of 2: .*; keep one"):
        read_raw(unpacked, 1)


def test_a_linked_subfolder_is_refused_and_a_linked_raw_folder_is_read(
    unpacked: Path, tmp_path: Path, survey: SurveySet
) -> None:
    (tmp_path / "link").symlink_to(unpacked)
    (unpacked / ".trash").symlink_to(unpacked / "train")
    assert_same(read_raw(tmp_path / "link", 2)[0], survey.crops)

    (unpacked / "train").rename(tmp_path / "train")
    (unpacked / "train").symlink_to(tmp_path / "train")
    with pytest.raises(InputError, match=r"raw/train: is a link to a folder, .* ingest\.raw_dir"):
        read_raw(unpacked, 2)


def test_zips_that_windows_made(zipped: Path, survey: SurveySet) -> None:
    """PowerShell of old parts folders by backslashes."""
    for name in ("train.zip", "test.zip"):
        content = (zipped / name).read_bytes()
        for folder in (b"images", b"masks"):
            content = content.replace(folder + b"/", folder + b"\\")
        (zipped / name).write_bytes(content)

    assert_same(read_raw(zipped, 2)[0], survey.crops)


def test_a_raw_folder_that_is_the_zip_itself(zipped: Path) -> None:
    with pytest.raises(InputError, match=r"train\.zip: is a file, and ingest\.raw_dir names a"):
        read_raw(zipped / "train.zip", 1)


@pytest.mark.parametrize("name", ["train/images/x.png", "depths.csv", "more.zip"])
def test_pipes_are_refused_before_they_are_opened(name: str, unpacked: Path) -> None:
    (unpacked / name).unlink(missing_ok=True)
    os.mkfifo(unpacked / name)

    with pytest.raises(
        InputError, match=rf"{name}: is a pipe, socket or device, not a regular file"
    ):
        read_raw(unpacked, 1)


@pytest.mark.parametrize("name", ["train.zip", "all.zip"])
def test_a_bomb_in_a_zip_is_refused(name: str, zipped: Path) -> None:
    with zipfile.ZipFile(zipped / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", bytes(9 << 20))
    if name == "all.zip":
        pack(zipped / name, zipped, [zipped / "bomb.zip"])
        (zipped / "bomb.zip").unlink()
        (zipped / "train.csv").unlink()  # which is sought in zips within zips now
    else:
        (zipped / "bomb.zip").replace(zipped / name)

    with pytest.raises(InputError, match=r"train\.csv unpacks to 9,437,184 bytes, [\d,]+ times"):
        read_raw(zipped, 1)
