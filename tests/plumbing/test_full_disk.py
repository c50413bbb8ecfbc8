"""What every kind of writing says and leaves where there is no space, or no right to write."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from saltseg.learning.checkpoint import Checkpoint
from saltseg.models.snapshots import save_snapshots
from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.files import write_array, write_csv, write_json, write_table
from saltseg.reports.charts import bar_chart
from saltseg.reports.contact_sheet import Group, Tile, contact_sheet
from saltseg.selection.postprocess import write_test_masks
from saltseg.survey import SurveySet, write_kaggle_layout
from tests.helpers.limited_files import SPACE, files_limited

NOISE = np.random.default_rng(0).integers(0, 256, (16, 101, 101), dtype=np.uint8)
TABLE = pd.DataFrame(NOISE.reshape(-1, 101)).add_prefix("pixel")
WEIGHTS = {"weight": torch.from_numpy(NOISE)}

WRITERS: dict[str, Callable[[Path], object]] = {
    "array": lambda folder: write_array(folder / "a.npy", NOISE),
    "masks": lambda folder: write_test_masks(
        folder / "a.npy", NOISE.astype(np.float16), 0.5, (0, 0)
    ),
    "table": lambda folder: write_table(folder / "a.parquet", TABLE),
    "csv": lambda folder: write_csv(folder / "a.csv", TABLE),
    "json": lambda folder: write_json(folder / "a.json", {"pixels": NOISE.ravel().tolist()}),
    "sheet": lambda folder: contact_sheet(
        folder / "a.png", [Group("noise", [Tile(crop) for crop in NOISE])]
    ),
    "chart": lambda folder: bar_chart(
        folder / "a.png", range(101), {"noise": NOISE[0, 0]}, "x", "noise"
    ),
    "snapshots": lambda folder: save_snapshots(folder, [WEIGHTS]),
    "checkpoint": lambda folder: Checkpoint(folder, 0).save({"weights": WEIGHTS}, {}),
}


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount a small disk of its own at `folder`; only root may."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"may not mount a disk of its own: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(params=["limit", "disk"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder without space: by the system's limit for files, and on a real full disk."""
    folder = tmp_path / "full"
    context = files_limited() if request.param == "limit" else mounted(folder, f"-osize={SPACE}")
    with context:
        yield folder


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that takes no files, not even root's."""
    folder = tmp_path / "read_only"
    if os.geteuid() == 0:
        with mounted(folder, "-oro"):
            yield folder
    else:
        folder.mkdir(mode=0o555)
        yield folder


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_is_one_line_and_leaves_no_half_file(full: Path, kind: str) -> None:
    with pytest.raises(InputError) as caught:
        WRITERS[kind](full)
    said = str(caught.value)
    assert said.startswith(f"{full}/") and "\n" not in said
    assert "No space left on device" in said or "File too large" in said
    assert not files(full)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_full_disk_leaves_no_half_raw_file(
    full: Path, small_survey: SurveySet, zipped: bool
) -> None:
    with pytest.raises(InputError, match=r"train.*: cannot be written: (No space|File too)"):
        write_kaggle_layout(full, small_survey, zipped)
    for path in files(full):
        assert not path.name.startswith(".") and cv2.imread(str(path)) is not None


@pytest.mark.parametrize("kind", WRITERS)
def test_a_read_only_folder_is_one_line(read_only: Path, kind: str) -> None:
    with pytest.raises(InputError, match=r"cannot be written: (Read-only|Permission)") as caught:
        WRITERS[kind](read_only)
    assert "\n" not in str(caught.value)


def test_whatever_else_meets_a_full_disk_ends_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as left, one_line_errors():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "mlruns/lock")
    assert left.value.code == 1
    said = capsys.readouterr().err
    assert "No space left on device: 'mlruns/lock'" in said and said.count("\n") == 1


def test_a_name_that_is_too_long_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, one_line_errors():
        Path("n" * 300).read_bytes()
    said = capsys.readouterr().err
    assert left.value.code == 1 and said.count("\n") == 1
    assert "File name too long" in said and said.endswith("; give it a shorter name\n")


def test_another_error_of_the_system_keeps_its_traceback() -> None:
    with pytest.raises(ConnectionResetError), one_line_errors():
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
