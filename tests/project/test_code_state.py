"""The code's state: the same whatever the user's git is told, and unknown where git refuses."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from saltseg.ablation.input_hash import hash_code
from saltseg.project.code_state import UNKNOWN, Patch, code_patch, code_state, commit_patch
from saltseg.project.git import why_unknown
from tests.helpers.records import git
from tests.tracking.conftest import Start, runs

SETTINGS = {
    "apply.whitespace": "error",
    "color.ui": "always",
    "core.abbrev": "5",
    "core.attributesFile": "attributes",
    "core.autocrlf": "input",
    "core.compression": "0",
    "core.quotePath": "false",
    "core.safecrlf": "true",
    "diff.algorithm": "patience",
    "diff.context": "0",
    "diff.external": "false",
    "diff.ignoreSubmodules": "all",
    "diff.indentHeuristic": "false",
    "diff.interHunkContext": "5",
    "diff.mnemonicPrefix": "true",
    "diff.noprefix": "true",
    "diff.orderFile": "order",
    "diff.relative": "true",
    "diff.renames": "copies",
    "diff.suppressBlankEmpty": "true",
    "diff.upper.textconv": "tr a-z A-Z <",
    "log.showSignature": "true",
    "status.renames": "copies",
    "status.short": "true",
    "status.showUntrackedFiles": "no",
}

VARIABLES = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.worktree",
    "GIT_CONFIG_VALUE_0": "/",
    "GIT_DIFF_OPTS": "--unified=0",
    "GIT_DIR": "/nowhere",
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_INDEX_FILE": "/nowhere/index",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OBJECT_DIRECTORY": "/nowhere/objects",
    "GIT_WORK_TREE": "/",
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits, and since then files that changed, moved, or are new."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    root = tmp_path / "a project"
    (root / "src").mkdir(parents=True)
    git(tmp_path, "init", "--quiet", str(root))
    (root / ".gitattributes").write_text("code.py diff=upper\n")
    (root / "src/moved.py").write_text("the same\n" * 9)
    lines = [f"{number}\n\n" for number in range(20)]
    for end in ("first", "second"):
        (root / "src/code.py").write_text("".join([*lines, end]))
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", end)
    (root / "src/code.py").write_text("".join([*lines[:9], "third\n", *lines[9:], "third"]))
    (root / "src/moved.py").rename(root / "src/moved away.py")
    (root / "src/façade.py").write_bytes(b"one\r\ntwo\n")
    (root / "src/table.bin").write_bytes(bytes(range(256)) * 20)
    return root


def state(root: Path) -> tuple[tuple[str, str | None], Patch, Patch, str]:
    """Return all that is recorded of the code."""
    commits = git(root, "rev-parse", "HEAD~1"), git(root, "rev-parse", "HEAD")
    return code_state(root), code_patch(root), commit_patch(root, *commits), hash_code(root)


def snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def configure(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    (root / ".git/info/attributes").unlink(missing_ok=True)
    (root.parent / "attributes").write_text("* text=auto\n")
    (root.parent / "order").write_text("src/table.bin\n")
    for key, value in SETTINGS.items():
        own = str(root.parent / value) if value in ("attributes", "order") else value
        git(root, "config", key, own)


def export(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del root
    for key, value in VARIABLES.items():
        monkeypatch.setenv(key, value)


def hide(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    git(root, "update-index", "--assume-unchanged", "src/code.py")
    git(root, "update-index", "--skip-worktree", "src/moved.py")


@pytest.mark.parametrize("disturb", [configure, export, hide])
def test_the_record_is_the_same_whatever_git_is_told(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    disturb: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    before = state(repository)
    assert all(b"\n--- a/src/code.py\n+++ b/src/code.py\n" in each.text for each in before[1:3])
    assert b"b/src/table.bin" in before[1].text and b"one\r" in before[1].text
    with monkeypatch.context() as patched:
        disturb(repository, patched)
        files = snapshot(repository)
        commits = before[0][0]
        after = code_state(repository), code_patch(repository), hash_code(repository)
    assert commits and after == (before[0], before[1], before[3])
    assert snapshot(repository) == files


def test_the_patch_between_commits_is_the_same_whatever_git_is_configured_to(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(repository)[2]
    configure(repository, monkeypatch)
    assert state(repository)[2] == before


def test_links_to_another_disk_are_no_code(repository: Path, tmp_path: Path) -> None:
    (repository / "models").mkdir()
    (repository / "models/.gitignore").write_text("*\n!.gitignore\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "three")
    (repository / "models/.gitignore").unlink()
    (repository / "models").rmdir()
    for name in ("models", "mlruns"):
        (tmp_path / "scratch" / name).mkdir(parents=True)
        (repository / name).symlink_to(tmp_path / "scratch" / name)
    assert code_state(repository) == (git(repository, "rev-parse", "HEAD"), "")
    assert code_patch(repository) == Patch(b"")


def refuse(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del root
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")


def uncommit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    git(root, "update-ref", "-d", "HEAD")


def unpack(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it what a downloaded ZIP is."""
    del monkeypatch
    (root / ".git").rename(root.parent / "git")


UNASKED = [
    pytest.param(refuse, "detected dubious ownership", id="another owner"),
    pytest.param(uncommit, "has no commit yet; make one with 'git commit'", id="no commit"),
    pytest.param(unpack, "is not a git repository ('Download ZIP' makes none)", id="no repository"),
]


@pytest.mark.parametrize(("disturb", "reason"), UNASKED)
def test_what_git_does_not_tell_is_unknown_and_said_once(
    checkout: Path,
    start: Start,
    pipeline: "subprocess.Popen[str]",
    monkeypatch: pytest.MonkeyPatch,
    disturb: Callable[[Path, pytest.MonkeyPatch], None],
    reason: str,
) -> None:
    assert why_unknown(checkout) is None
    disturb(checkout, monkeypatch)
    monkeypatch.setenv("SALTSEG_PIPELINE", str(pipeline.pid))
    assert code_state(checkout) == (UNKNOWN, None)
    assert code_patch(checkout).tags() == {"patch": UNKNOWN}
    said = [start("run.metrics({})", name).communicate(timeout=120)[1] for name in ("a", "b")]
    assert said[1] == "" and said[0].count("\n") == 1
    assert said[0].startswith("saltseg: warning: the state of the code is not recorded: ")
    assert reason in said[0]
    pipeline.communicate("")
    tags = runs(checkout)["pipeline"].data.tags
    assert (tags["git.dirty"], tags["mlflow.source.git.commit"]) == (UNKNOWN, UNKNOWN)
