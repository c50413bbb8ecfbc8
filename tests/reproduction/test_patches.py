"""What a record may not do to the machine of whoever verifies it."""

import subprocess
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from filelock import FileLock

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import write_below
from saltseg.reproduction.clean_clone import clean_clone
from saltseg.reproduction.patches import check_patch
from saltseg.reproduction.records import RunRecord
from tests.helpers.records import git
from tests.tracking.conftest import migrated as migrated


def patch_of(root: Path) -> bytes:
    """Return the patch of all that changed in a working tree, and clean it."""
    git(root, "add", "--all")
    command = ["git", "-C", str(root), "diff", "--binary", "--cached", "HEAD"]
    patch = subprocess.run(command, capture_output=True, check=True).stdout
    git(root, "reset", "--quiet", "--hard")
    return patch


def link(name: str, target: str, root: Path) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to(target)


LINKS = {
    "file": ("params.yaml", "../victim", "params.yaml: is a link to ../victim"),
    "absolute": ("params.yaml", "/etc/victim", "params.yaml: is a link to /etc/victim"),
    "folder": ("extra", "..", "extra: is a link to .."),
    "deep": ("a/b", "../../victim", "a/b: is a link to"),
    "hooks": ("hooks", ".git/hooks", "hooks: is a link to .git/hooks"),
    "dvc": (".dvc/config.local", "../notes", ".dvc/config.local: is a link"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_a_patch_with_a_link_out_is_refused_by_name(
    repository: Path, tmp_path: Path, kind: str
) -> None:
    name, target, words = LINKS[kind]
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link(name, target, repository)
    record = RunRecord("x", git(repository, "rev-parse", "HEAD"), {"params.yaml": b"overwritten"})
    hostile = RunRecord("x", record.commit, record.files, patch_of(repository))
    with pytest.raises(InputError, match=r"record/changes\.patch: ") as refused:  # noqa: SIM117
        with clean_clone(hostile, repository):
            pass
    assert words in str(refused.value)
    assert victim.read_text() == "mine"


HEADER = "diff --git a/{0} b/{0}\nnew file mode {1}\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x\n"


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("../victim", "100644"),
        ("/victim", "100644"),
        (".git/hooks/post-checkout", "100755"),
        (".GIT/config", "100644"),
        (".dvc/config.local", "100644"),
        (".dvc/tmp/x", "100644"),
    ],
)
def test_a_patch_of_names_outside_is_refused(repository: Path, name: str, mode: str) -> None:
    patch = HEADER.format(name, mode).encode()
    with pytest.raises(InputError, match=r"git apply|belongs to git or DVC"):
        check_patch(repository, "HEAD", patch)


def test_a_submodule_is_refused(repository: Path) -> None:
    commit = "1" * 40
    patch = (
        "diff --git a/sub b/sub\nnew file mode 160000\nindex 0000000..1111111\n--- /dev/null\n"
        f"+++ b/sub\n@@ -0,0 +1 @@\n+Subproject commit {commit}\n"
    ).encode()
    with pytest.raises(InputError, match="sub: is a submodule"):
        check_patch(repository, "HEAD", patch)


def test_a_link_inside_and_ordinary_changes_pass(repository: Path) -> None:
    link("latest", "results/ingest.json", repository)
    (repository / "new.txt").write_text("new")
    (repository / "params.yaml").rename(repository / "moved.yaml")
    check_patch(repository, "HEAD", patch_of(repository))


@pytest.mark.parametrize("name", ["link", "folder/params.yaml", "../out", "/out"])
def test_no_recorded_file_is_written_through_a_link_or_outside(tmp_path: Path, name: str) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    (tmp_path / "victim").write_text("mine")
    (clone / "link").symlink_to("../victim")
    (clone / "folder").symlink_to("..")
    with pytest.raises(InputError, match="leads out of"):
        write_below(clone, name, b"overwritten")
    assert (tmp_path / "victim").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clone", "victim"]


def test_the_next_start_sweeps_what_a_killed_one_left(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    named = {kind: scratch / f"saltseg-reproduction-{kind}" for kind in ("left", "own", "held")}
    for folder in named.values():
        (folder / "project").mkdir(parents=True)
    (named["left"] / ".in-use.lock").touch()
    (scratch / "saltseg-reproduction-link").symlink_to(tmp_path)
    (scratch / "another").mkdir()
    with FileLock(named["held"] / ".in-use.lock"), clone_of(repository) as clone:
        names = {path.name.removeprefix("saltseg-reproduction-") for path in scratch.iterdir()}
        assert names == {"own", "held", "link", "another", clone.parent.name[21:]}
        assert (named["held"] / "project").is_dir()


def clone_of(repository: Path) -> AbstractContextManager[Path]:
    subprocess.run(["dvc", "init", "--quiet"], cwd=repository, check=True)
    return clean_clone(RunRecord("x", git(repository, "rev-parse", "HEAD"), {}), repository)
