"""Writing the survey in exactly Kaggle's layout, with the truth in a separate folder."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.plumbing.files import whole_file, write_csv
from saltseg.scoring.submission import write_masks, write_sample
from saltseg.survey.survey_set import SurveySet

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Timestamp of every file in a zip, so that its bytes depend on the content alone."""

SURVEY_NAMES = (
    "train.zip",
    "test.zip",
    "train",
    "test",
    "train.csv",
    "depths.csv",
    "sample_submission.csv",
    "truth",
    "sections",
)
"""All names that a survey may use; leftovers of another survey would be taken for its own."""

PngFile = tuple[str, bytes]
"""Path in the folder or zip, and content."""


def write_kaggle_layout(folder: Path, survey: SurveySet, zipped: bool = True) -> None:
    """Write train and test images, masks and tables as Kaggle does, and truth/ beside them.

    Images are RGB with equal channels. As in the real set, masks with salt are 16-bit {0, 65535}
    and masks without are 8-bit. truth/ holds sidecar.csv (see SurveySet) and test.csv (`id`,
    `rle_mask`), which no pipeline may read. Raises InputError if a file cannot be written.
    """
    crops = survey.crops
    train_files = _train_files(survey)
    test_files = _images(crops.test["id"], crops.test_images)
    if zipped:
        _write_zip(folder / "train.zip", train_files)
        _write_zip(folder / "test.zip", test_files)
    else:
        _write_files(folder / "train", train_files)
        _write_files(folder / "test", test_files)
    _write_tables(folder, survey)
    write_truth(folder / "truth", survey)


def write_truth(folder: Path, survey: SurveySet) -> None:
    """Write sidecar.csv and test.csv, used only to score a finished submission."""
    write_csv(folder / "sidecar.csv", survey.sidecar)
    write_masks(folder / "test.csv", survey.crops.test["id"].tolist(), survey.test_masks)


def _write_tables(folder: Path, survey: SurveySet) -> None:
    crops = survey.crops
    write_masks(folder / "train.csv", crops.train["id"].tolist(), crops.train_masks)
    depths = crops.table[["id", "depth"]].rename(columns={"depth": "z"})
    write_csv(folder / "depths.csv", depths.sort_values("id"))
    sample = crops.test.sort_values("sample_order")["id"]
    write_sample(folder / "sample_submission.csv", sample.tolist())


def _train_files(survey: SurveySet) -> Iterator[PngFile]:
    crops = survey.crops
    yield from _images(crops.train["id"], crops.train_images)
    for name, mask in zip(crops.train["id"], crops.train_masks, strict=True):
        pixels = mask.astype(np.uint16) * 65535 if mask.any() else mask.astype(np.uint8)
        yield f"masks/{name}.png", _png(pixels)


def _images(ids: "pd.Series[Any]", images: npt.NDArray[np.uint8]) -> Iterator[PngFile]:
    for name, image in zip(ids, images, strict=True):
        yield f"images/{name}.png", _png(np.repeat(image[:, :, None], 3, axis=2))


def _png(pixels: npt.NDArray[Any]) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


def _write_zip(path: Path, files: Iterable[PngFile]) -> None:
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)


def _write_files(folder: Path, files: Iterable[PngFile]) -> None:
    for name, content in files:
        with whole_file(folder / name) as temporary:
            temporary.write_bytes(content)
