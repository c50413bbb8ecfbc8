"""A training that is killed, interrupted, met by its like or out of space, as a real process."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
import yaml

from saltseg.plumbing.files import hash_file
from saltseg.plumbing.layout import Layout
from saltseg.selection.pseudolabels import no_pseudolabels, save_pseudolabels
from tests.helpers.phases import set_epochs
from tests.helpers.stage_process import StageProcess, start_stage

KILLS = 10
TRAINING = ("train-per-fold", "class_unet", "0")
TEACHING = ("pseudolabel", "0")


@pytest.fixture
def stage(folded: Layout) -> Layout:
    """A checkout in which a learning stage is to run, train-per-fold 16 epochs of 6 batches."""
    save_pseudolabels(folded.data("pseudolabel", 0), no_pseudolabels())
    change_params(folded, 0)
    return folded


def change_params(layout: Layout, save_seconds: int) -> None:
    content = yaml.safe_load(layout.params.read_text())
    content["runtime"]["save_seconds"] = save_seconds
    content["training"]["batch_size"] = 2
    set_epochs(content, 8, "train_per_fold")
    layout.params.write_text(yaml.safe_dump(content, sort_keys=False))


def start(
    stage: Layout, command: tuple[str, ...] = TRAINING, largest_file: int | None = None
) -> StageProcess:
    """Start a stage as DVC would: the outputs of an earlier start are gone."""
    for folder in outputs(stage, command[0]):
        shutil.rmtree(folder, ignore_errors=True)
    return start_stage(stage.root, stage.root / "log", *command, largest_file=largest_file)


def outputs(stage: Layout, name: str) -> list[Path]:
    handed_on = stage.models if name == "train-per-fold" else stage.data(name)
    return [handed_on, stage.result(name).with_suffix(""), stage.plots(name)]


def hashes(stage: Layout, name: str = "train-per-fold") -> dict[Path, str]:
    folders = outputs(stage, name)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path: hash_file(path) for path in files}


def wait_for_saves(stage: Layout, process: StageProcess, count: int) -> None:
    """Return when the checkpoint has been saved `count` times more, or the process has ended."""
    seen = last_save(stage)
    while count and process.running:
        time.sleep(0.001)
        if last_save(stage) != seen:
            seen = last_save(stage)
            count -= 1


def last_save(stage: Layout) -> int | None:
    """Return the number that the disk has given to the checkpoint's file; None without one."""
    try:
        (path,) = stage.checkpoints.glob("*/progress.checkpoint")
        return path.stat().st_ino
    except (ValueError, FileNotFoundError):
        return None


@pytest.mark.slow
def test_killed_ten_times_at_random_it_ends_with_the_same_bytes(stage: Layout) -> None:
    change_params(stage, save_seconds=30)
    assert start(stage).wait() == 0
    expected = hashes(stage)
    assert len(expected) == 4 and "going on" not in (stage.root / "log").read_text()
    change_params(stage, save_seconds=0)
    draw = random.Random(2018)
    kills = 0
    while kills < KILLS:
        process = start(stage)
        if kills % 3:
            wait_for_saves(stage, process, draw.randint(1, 6))
            time.sleep(draw.uniform(0, 0.03))
        else:
            time.sleep(draw.uniform(0, 0.5))  # wherever that is, its start included
        process.kill(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL:
            kills += 1
        else:
            assert hashes(stage) == expected
    assert start(stage).wait() == 0
    assert hashes(stage) == expected
    assert not any(stage.checkpoints.iterdir())
    assert (stage.root / "log").read_text().count("resuming at epoch") >= KILLS // 2


@pytest.mark.parametrize(
    ("command", "first", "epochs", "files"),
    [(TRAINING, "*/*/*.safetensors", 16, 4), (TEACHING, "*/crops.parquet", 1, 3)],
)
def test_killed_while_it_writes_its_outputs_it_does_not_train_again(
    stage: Layout, command: tuple[str, ...], first: str, epochs: int, files: int
) -> None:
    handed_on = outputs(stage, command[0])[0]
    for _ in range(5):  # a busy machine may kill it too late, when it has dropped its checkpoint
        for path in handed_on.glob(first):
            path.unlink()
        process = start(stage, command)
        while process.running and not list(handed_on.glob(first)):
            time.sleep(0.0002)
        process.kill(signal.SIGKILL)
        process.wait()
        if any(stage.checkpoints.iterdir()):
            break
    assert start(stage, command).wait() == 0
    assert f"resuming at epoch {epochs}, batch 0" in (stage.root / "log").read_text()
    assert len(hashes(stage, command[0])) == files
    assert not any(stage.checkpoints.iterdir())


def test_two_processes_at_once_do_not_disturb_each_other(stage: Layout) -> None:
    assert start(stage).wait() == 0
    expected = hashes(stage)
    first = start(stage)
    wait_for_saves(stage, first, 1)
    second = start_stage(stage.root, stage.root / "log", *TRAINING)
    assert first.wait() == 0 and second.wait() == 0
    assert hashes(stage) == expected
    assert "another process runs the same training" in (stage.root / "log").read_text()
    assert not any(stage.checkpoints.iterdir())


def test_interrupted_by_the_keyboard_it_says_one_line_and_keeps_its_checkpoint(
    stage: Layout,
) -> None:
    process = start(stage)
    wait_for_saves(stage, process, 2)
    process.kill(signal.SIGINT)
    assert process.wait() == 130
    assert (stage.root / "log").read_text() == "saltseg: interrupted\n"
    assert last_save(stage) is not None


def test_a_full_disk_ends_it_with_one_line_and_no_half_file(stage: Layout) -> None:
    assert start(stage, largest_file=4096).wait() == 1
    said = (stage.root / "log").read_text()
    assert said.count("\n") == 1
    assert "progress.checkpoint: cannot be written: File too large; free space" in said
    assert not hashes(stage)
    assert not [
        path for path in stage.checkpoints.rglob("*") if path.is_file() and path.stat().st_size
    ]
