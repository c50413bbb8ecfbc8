import os
import time
from pathlib import Path
from pickle import PicklingError
from threading import Thread

import pytest
import torch

from saltseg.learning.checkpoint import Checkpoint, drop_checkpoint
from saltseg.plumbing.layout import Layout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "0a1b"


def saved(folder: Path) -> Checkpoint:
    checkpoint = Checkpoint(folder, 0)
    checkpoint.save({"epoch": 1}, {0: {"a": torch.arange(3.0)}, 1: {"a": torch.ones(500)}})
    return checkpoint


def test_a_checkpoint_comes_back_whole(folder: Path) -> None:
    saved(folder)
    loaded = Checkpoint(folder, 0).load()
    assert loaded
    content, snapshots = loaded
    first, second = snapshots[0], snapshots[1]
    assert content["epoch"] == 1
    assert torch.equal(first["a"], torch.arange(3.0)) and torch.equal(second["a"], torch.ones(500))


def test_a_snapshot_is_written_once(folder: Path) -> None:
    """Also by the process that goes on: an untouched file keeps its number on the disk."""
    saved(folder)
    files = sorted(folder.glob("snapshot_*"))
    before = [path.stat().st_ino for path in files]
    checkpoint = Checkpoint(folder, 0)
    loaded = checkpoint.load()
    assert loaded and len(files) == 2
    checkpoint.save({"epoch": 2}, {**loaded[1], 7: {"a": torch.zeros(1)}})
    assert [path.stat().st_ino for path in files] == before
    again = Checkpoint(folder, 0).load()
    assert again and [*again[1]] == [0, 1, 7]


def test_a_snapshot_that_is_kept_no_longer_goes_when_the_rest_is_saved(folder: Path) -> None:
    """Until then a killed training goes on from it."""
    checkpoint = saved(folder)
    kept = {1: {"a": torch.ones(500)}, 2: {"a": torch.zeros(1)}}
    with pytest.raises((AttributeError, PicklingError)):
        checkpoint.save({"epoch": lambda: 2}, kept)
    before = Checkpoint(folder, 0).load()
    assert before and before[0]["epoch"] == 1 and [*before[1]] == [0, 1]
    checkpoint.save({"epoch": 2}, kept)
    after = Checkpoint(folder, 0).load()
    assert after and [*after[1]] == [1, 2]
    files = {path.name for path in folder.iterdir()}
    assert files == {"progress.checkpoint", "snapshot_1.checkpoint", "snapshot_2.checkpoint"}


@pytest.mark.parametrize(
    "name", ["progress.checkpoint", "snapshot_0.checkpoint", "snapshot_1.checkpoint"]
)
@pytest.mark.parametrize("size", [0, 1, 32, 33, 500, -1, None])
def test_a_damaged_checkpoint_is_set_aside_with_one_line(
    folder: Path, name: str, size: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut at `size` bytes, or of the right size with one bit changed."""
    saved(folder)
    content = bytearray((folder / name).read_bytes())
    if size is None:
        content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content[:size])
    assert Checkpoint(folder, 0).load() is None
    assert not folder.exists()
    said = capsys.readouterr().err
    assert "a damaged checkpoint is set aside" in said and name in said and said.count("\n") == 1
    assert (folder.with_suffix(".damaged") / name).read_bytes() == content[:size]


def test_a_checkpoint_without_its_snapshot_is_damaged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(folder)
    (folder / "snapshot_1.checkpoint").unlink()
    assert Checkpoint(folder, 0).load() is None
    assert "snapshot_1.checkpoint" in capsys.readouterr().err


def test_saving_waits_for_its_time(folder: Path) -> None:
    assert Checkpoint(folder, 0).due()
    assert not Checkpoint(folder, 3600).due()


def test_of_two_trainings_with_the_same_checkpoint_one_waits(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = []

    def second() -> None:
        with Checkpoint(folder, 0).owned():
            order.append("second")

    with Checkpoint(folder, 0).owned():
        waiting = Thread(target=second)
        waiting.start()
        said = ""
        while "another process does the same training" not in said:
            time.sleep(0.01)
            said += capsys.readouterr().err
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_a_dropped_checkpoint_leaves_nothing(folder: Path) -> None:
    checkpoint = Checkpoint(folder, 0)
    with checkpoint.owned():
        checkpoint.save({}, {})
    drop_checkpoint(folder)
    assert not any(folder.parent.iterdir())


def test_what_was_given_up_is_removed_after_a_month(folder: Path) -> None:
    for name, days in (("old", 31), ("young", 29), (folder.name, 31)):
        saved(folder.with_name(name))
        then = time.time() - days * 24 * 3600
        os.utime(folder.with_name(name), (then, then))
    with Checkpoint(folder, 0).owned():
        assert {path.name for path in folder.parent.iterdir()} == {"young", "0a1b", "0a1b.lock"}


def test_checkpoints_lie_with_the_main_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC names it where a temporary copy is at work, and a killed copy is never seen again."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert Layout(tmp_path / ".dvc/tmp/exps/copy").checkpoints == Layout(tmp_path).checkpoints
