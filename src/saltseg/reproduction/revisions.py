"""What git holds of a run's record: DVC's experiments, changed code."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from saltseg.project.dvc_experiments import list_experiments
from saltseg.project.git import git

_WRITTEN = [".", ":(exclude)params.yaml", ":(exclude)dvc.lock", ":(exclude)results"]
"""Code: all files but the parameters and what the pipeline writes, which are told of apart."""


def find_experiments(root: Path, name: str) -> list[str]:
    """Return the commits of the DVC experiments with this name, one for each of their baselines."""
    return [each.revision for each in list_experiments(root) if each.name == name]


def changed_files(
    root: Path, first: tuple[str, bytes], second: tuple[str, bytes]
) -> dict[str, str]:
    """Return what happened to each file of the code between two commits with their patches.

    first, second: a commit's hash and the binary patch upon it, b"" for none. Nothing is written
    into the repository. Returns, by path, "added", "removed" or "changed, +LINES -LINES".
    """
    with _scratch_objects(root) as environment:
        trees = [_tree(root, *each, environment) for each in (first, second)]
        options = ["--no-renames", "--numstat", "-z"]
        counted = git(root, "diff", *options, *trees, "--", *_WRITTEN, environment=environment)
        named = ["--no-renames", "--name-status", "-z"]
        states = git(root, "diff", *named, *trees, "--", *_WRITTEN, environment=environment)
    letters = states.decode().split("\0")
    state = dict(zip(letters[1::2], letters[::2], strict=False))
    words = {"A": "added", "D": "removed"}
    found = {}
    for line in filter(None, counted.decode().split("\0")):
        added, removed, path = line.split("\t")
        found[path] = words.get(state[path], f"changed, +{added} -{removed}")
    return found


def tracked_files(root: Path, commit: str, patch: bytes) -> list[str]:
    """Return the paths of all files in a commit with a patch upon it; a .gitignore is none."""
    with _scratch_objects(root) as environment:
        tree = _tree(root, commit, patch, environment)
        listed = git(root, "ls-tree", "-r", "-z", "--name-only", tree, environment=environment)
    return [name for name in listed.decode().split("\0") if name and ".gitignore" not in name]


@contextmanager
def patched_tree(root: Path, commit: str, patch: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the tree of `commit` with `patch` upon it, and the variables by which git finds it."""
    with _scratch_objects(root) as environment:
        yield _tree(root, commit, patch, environment), environment


@contextmanager
def _scratch_objects(root: Path) -> Iterator[dict[str, str]]:
    """Yield the variables that make git write new objects into a folder that is then removed."""
    objects = git(root, "rev-parse", "--path-format=absolute", "--git-path", "objects").decode()
    with tempfile.TemporaryDirectory(prefix="saltseg-diff-") as folder:
        yield {
            "GIT_INDEX_FILE": str(Path(folder) / "index"),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects.strip(),
        }


def _tree(root: Path, commit: str, patch: bytes, environment: dict[str, str]) -> str:
    """Return the tree of `commit` with `patch` applied."""
    git(root, "read-tree", commit, environment=environment)
    if patch:
        apply = ["apply", "--cached", "--binary", "--whitespace=nowarn", "-"]
        git(root, *apply, stdin=patch, environment=environment)
    return git(root, "write-tree", environment=environment).decode().strip()
