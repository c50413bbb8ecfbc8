"""What a person has written where he says: nothing that was there is lost."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.outputs import OUTPUTS, check_outputs, protected_outputs
from tests.helpers.servers import wait_until

SURVEY = ("--train", "2", "--test", "1", "--workers", "0")


def write(folder: Path, force: bool = False, **texts: str) -> None:
    """Write files as a command does."""
    with protected_outputs(folder, list(texts), force) as outputs:
        for name, text in texts.items():
            (outputs.staging / name).write_text(text)
        outputs.place(*texts)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != OUTPUTS
    }


def test_own_outputs_are_replaced_by_force_alone(tmp_path: Path) -> None:
    write(tmp_path, a="1", b="2")
    for names, found in (
        ("ab", f"{tmp_path / 'a'}, {tmp_path / 'b'}: are there from .*; replace them with --force"),
        ("bc", f"{tmp_path / 'b'}: is there from an earlier call; replace it with --force"),
    ):
        with pytest.raises(InputError, match=found):
            write(tmp_path, False, **dict.fromkeys(names, "3"))
    write(tmp_path, force=True, a="3", c="5")
    assert contents(tmp_path) == {"a": b"3", "b": b"2", "c": b"5"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [OUTPUTS, "a", "b", "c"]


def test_a_folder_is_named_without_its_files(tmp_path: Path) -> None:
    with protected_outputs(tmp_path, ["store"], force=False) as outputs:
        (outputs.staging / "store/c").mkdir(parents=True)
        for name in ("zarr.json", "c/0", "c/1"):
            (outputs.staging / "store" / name).write_text("1")
        outputs.place("store")
    with pytest.raises(InputError, match=f"^{tmp_path / 'store'}: is there from an earlier call"):
        check_outputs(tmp_path, ["store", "other"], [], force=False)
    for name in ("c/0", "c/1"):
        by_hand(tmp_path / "store" / name)
    with pytest.raises(InputError, match=r"c/0, .*c/1: exist, and are not as saltseg made them"):
        check_outputs(tmp_path, ["store"], [], force=True)


def by_hand(path: Path) -> None:
    path.write_text("by hand")


def link(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("made_before", [True, False])
@pytest.mark.parametrize("make", [by_hand, link, Path.mkdir])
def test_what_saltseg_did_not_make_stays(
    tmp_path: Path, make: Callable[[Path], None], made_before: bool
) -> None:
    if made_before:
        write(tmp_path, a="1")
    if make is Path.mkdir:
        (tmp_path / "a").unlink(missing_ok=True)
        (tmp_path / "a").mkdir()
        by_hand(tmp_path / "a/b")
    else:
        make(tmp_path / "a")
    before = contents(tmp_path)
    for force in (False, True):
        with pytest.raises(InputError, match="exists, and is not as saltseg made it"):
            write(tmp_path, force, a="2")
    assert contents(tmp_path) == before


def test_what_a_killed_call_left_is_removed_and_what_a_running_one_has_stays(
    tmp_path: Path,
) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from saltseg.plumbing.outputs import protected_outputs\n"
        "with protected_outputs(Path(sys.argv[1]), ['a'], False) as outputs:\n"
        "    (outputs.staging / 'a').write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    other = tmp_path / ".saltseg-mine"
    other.mkdir()
    (other / "kept").touch()
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    assert len([*tmp_path.iterdir()]) == 2
    with protected_outputs(tmp_path, ["a"], False) as running:
        assert {*tmp_path.iterdir()} == {other, running.staging}
        with protected_outputs(tmp_path, ["b"], False) as second:
            assert {*tmp_path.iterdir()} == {other, running.staging, second.staging}
    assert [*tmp_path.rglob("*")] == [other, other / "kept"]


def test_a_command_that_is_told_to_end_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    many = ("survey", str(out), "--train", "100000", "--test", "1", "--workers", "0")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "saltseg", *many], stderr=log)
        wait_until(lambda: any(out.glob(".saltseg-*/?*")), process, tmp_path / "log")
        process.terminate()
        assert process.wait(60) == 130
    assert not [*out.iterdir()]
    assert (tmp_path / "log").read_text() == "saltseg: interrupted\n"


def test_a_file_system_without_locks_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    write(tmp_path, a="1")
    assert contents(tmp_path) == {"a": b"1"}


@pytest.mark.parametrize("given", ["a_mask.png", "../here/a_mask.png", "linked.png"])
def test_an_input_is_never_replaced(tmp_path: Path, given: str) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    by_hand(folder / "a_mask.png")
    (folder / "linked.png").symlink_to("a_mask.png")
    with pytest.raises(InputError, match=r"a_mask\.png: is both input and output"):
        check_outputs(folder, ["a_mask.png"], [folder / given], force=True)


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.output.count("\n")) == (1, 1), done.output
    return done.output


def test_predict_looks_at_its_outputs_before_it_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.eye(9))
    by_hand(Path("a_mask.png"))
    predict = ("predict", "a.npy", "--model", "gone", "--out", ".")
    assert "a_mask.png: exists, and is not as saltseg made it" in said(*predict, "--force")
    assert "a_mask.png: is both input and output" in said(*predict[:2], "a_mask.png", *predict[2:])
    assert Path("a_mask.png").read_text() == "by hand"


def test_a_table_of_an_ablation_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # no project: whoever looks at that first says something else
    by_hand(Path("table.md"))
    ablate = ("ablate", "demo", "--vary", "a=1", "--out")
    assert "table.md: exists, and is not as saltseg" in said(*ablate, "table.md", "--force")
    assert f"--out: {tmp_path} is a folder" in said(*ablate, str(tmp_path))


@pytest.mark.parametrize("name", ["train.zip", "depths.csv", "test/images/0.png", "truth/test.csv"])
def test_a_survey_leaves_the_files_of_kaggle_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    by_hand(tmp_path / name)
    for options in ((), ("--force",), ("--no-zipped",)):
        assert f"{name}: exists, and is not" in said("survey", str(tmp_path), *SURVEY, *options)
    assert contents(tmp_path) == {name: b"by hand"}


def test_a_survey_replaces_the_whole_of_an_earlier_one(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    (one / "notes").mkdir(parents=True)
    by_hand(one / "notes/mine.txt")
    for out, options in (
        (one, ["--no-zipped", "--sections", "1"]),
        (one, ["--force"]),
        (other, []),
    ):
        done = CliRunner().invoke(app, ["survey", str(out), *SURVEY, *options])
        assert done.exit_code == 0, done.output
    assert contents(one) == {**contents(other), "notes/mine.txt": b"by hand"}
