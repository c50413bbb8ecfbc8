"""The recorder's socket finds a place that is short, and this user's alone."""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from saltseg.tracking.socket_folder import LONGEST_NAME, socket_folder
from tests.tracking.conftest import Start, runs


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short folder for temporary files; pytest's own may be too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as folder:
        use_temporary(Path(folder), monkeypatch)
        yield Path(folder)


def use_temporary(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.mark.parametrize("name", ["t" * 90, "gone"])
def test_a_temporary_folder_that_will_not_do_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / name
    if name != "gone":
        folder.mkdir()
    use_temporary(folder, monkeypatch)
    found = socket_folder()
    assert found == socket_folder() and not found.is_relative_to(tmp_path)
    assert found.stat().st_mode & 0o777 == 0o700
    with closing(socket.socket(socket.AF_UNIX)) as channel:
        address = found / f"{os.getpid():0{LONGEST_NAME}}"
        channel.bind(str(address))
        address.unlink()


def open_to_all(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def of_another(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    try:
        os.chown(folder, os.getuid() + 1, -1)
    except PermissionError:
        pytest.skip("only root can give a folder away")


def linked(folder: Path) -> None:
    folder.symlink_to(tempfile.gettempdir())


@pytest.mark.parametrize("make", [open_to_all, of_another, linked, Path.touch])
def test_what_others_can_reach_is_passed_over(places: Path, make: Callable[[Path], None]) -> None:
    assert socket_folder() == places / f"saltseg-{os.getuid()}"
    socket_folder().rmdir()
    make(places / f"saltseg-{os.getuid()}")
    assert not socket_folder().is_relative_to(places)


@pytest.mark.slow
def test_a_stage_is_recorded_whatever_its_temporary_folder(
    checkout: Path, start: Start, tmp_path: Path
) -> None:
    folder = tmp_path / ("t" * 90)
    folder.mkdir()
    variables = {"TMPDIR": str(folder), "XDG_RUNTIME_DIR": ""}
    assert start("run.metrics({'score': 1})", **variables).communicate(timeout=240)[1] == ""
    assert runs(checkout)["ingest"].data.metrics["score"] == 1
