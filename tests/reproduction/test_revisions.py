"""Code compared between commits with patches upon them."""

from pathlib import Path

import pytest

from saltseg.plumbing.errors import InputError
from saltseg.project.git import find_commit, git
from saltseg.reproduction.revisions import changed_files, find_experiments, tracked_files
from tests.helpers.records import git as call


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src/kept.py").write_text("a = 1\nb = 2\n")
    (root / "params.yaml").write_text("a: 1\n")
    (root / ".gitignore").write_text("/x\n")
    call(root, "init", "--quiet", "--initial-branch", "main")
    call(root, "add", "--all")
    call(root, "commit", "--quiet", "--message", "One")
    return root


def test_a_patch_counts_and_the_repository_stays_as_it_is(repository: Path) -> None:
    commit = call(repository, "rev-parse", "HEAD")
    (repository / "src/kept.py").write_text("a = 1\nb = 3\n")
    (repository / "src/new name.bin").write_bytes(bytes(range(256)))
    (repository / "params.yaml").write_text("a: 2\n")
    call(repository, "add", "--all")
    patch = git(repository, "diff", "--cached", "--binary", "HEAD")
    call(repository, "reset", "--quiet", "--hard")
    before = sorted(path for path in repository.rglob("*") if path.is_file())
    found = changed_files(repository, (commit, b""), (commit, patch))
    assert found == {"src/kept.py": "changed, +1 -1", "src/new name.bin": "added"}
    back = changed_files(repository, (commit, patch), (commit, b""))
    assert back["src/new name.bin"] == "removed"
    assert "src/new name.bin" in tracked_files(repository, commit, patch)
    assert tracked_files(repository, commit, b"") == ["params.yaml", "src/kept.py"]
    assert sorted(path for path in repository.rglob("*") if path.is_file()) == before
    with pytest.raises(InputError, match="git apply"):
        changed_files(repository, (commit, b""), (commit, b"no patch"))


def test_commits_and_experiments_are_found(repository: Path) -> None:
    commit = call(repository, "rev-parse", "HEAD")
    assert find_commit(repository, "main") == commit
    assert find_commit(repository, "--all") is None
    for ref in (f"{commit[:2]}/{commit[2:]}/fox", "exec/fox", "celery/stash"):
        call(repository, "update-ref", f"refs/exps/{ref}", commit)
    assert find_experiments(repository, "fox") == [commit]
    assert find_experiments(repository, "stash") == []
