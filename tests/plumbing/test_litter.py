"""Litter beside code and data changes no hash, no digest and no patch."""

import shutil
import subprocess
from pathlib import Path

import pytest

from saltseg.plumbing.litter import PATTERNS
from saltseg.project.code_state import code_patch
from saltseg.project.dvc_lock import folder_hash
from saltseg.project.lineage import code_digest
from tests.conftest import PROJECT

LITTER = (".DS_Store", "._losses.py", "Thumbs.db", ".x.py.swp", "losses.py~", ".#losses.py", "#x#")


@pytest.mark.parametrize("name", [".gitignore", ".dvcignore"])
def test_the_ignore_files_list_the_patterns(name: str) -> None:
    lines = (PROJECT / name).read_text().splitlines()
    assert [each for each in PATTERNS if each not in lines and f"\\{each}" not in lines] == []


def scatter(folder: Path) -> None:
    """Leave litter in a folder and in a notebook's folder below it."""
    checkpoints = folder / ".ipynb_checkpoints"
    checkpoints.mkdir()
    for place in (folder, checkpoints):
        for name in LITTER:
            (place / name).write_bytes(b"\x00\x01")
    (checkpoints / "losses-checkpoint.py").write_text("x = 1")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git and DVC repository with this project's ignore files, a package and a stage on it."""
    for name in (".gitignore", ".dvcignore"):
        shutil.copy(PROJECT / name, tmp_path)
    for folder in ("src/saltseg", "weights"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "losses.py").write_text("loss = 1\n")
    (tmp_path / "dvc.yaml").write_text(
        "stages: {train: {cmd: touch made, deps: [src/saltseg, weights], outs: [made]}}"
    )
    for command in ("git init -q", "dvc init -q", "dvc repro -q", "git add ."):
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, "commit", "-qm", "x"], cwd=tmp_path, check=True)
    return tmp_path


def test_nothing_is_stale_and_nothing_is_recorded(repository: Path) -> None:
    package = repository / "src/saltseg"
    before = code_digest(package), folder_hash(package)
    for folder in (package, repository / "weights"):
        scatter(folder)
    assert (code_digest(package), folder_hash(package)) == before
    assert code_patch(repository).text == b""
    status = subprocess.run(["dvc", "status", "-q"], cwd=repository, check=False)
    assert status.returncode == 0, "dvc status tells of changes by its exit code"


def test_a_change_of_the_code_is_noticed(repository: Path) -> None:
    package = repository / "src/saltseg"
    before = code_digest(package), folder_hash(package)
    (package / "losses.py").write_text("loss = 2\n")
    after = code_digest(package), folder_hash(package)
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert b"loss = 2" in code_patch(repository).text
