"""What git holds of a run's record: DVC's experiments, changed code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from saltseg.project.dvc_experiments import list_experiments
from saltseg.project.git import git, scratch_index, top_folder

_WRITTEN = [".", ":(exclude)params.yaml", ":(exclude)dvc.lock", ":(exclude)results"]
"""Code: all files but the parameters and what the pipeline writes, which are told of apart."""

_PLAIN = ["-z", "--relative", "--no-renames", "--no-ext-diff", "--no-textconv"]
"""Options of a comparison that no setting of the user's changes."""


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
    with scratch_index(root) as environment:
        trees = [_tree(root, *each, environment) for each in (first, second)]
        counted, states = (
            git(root, "diff", form, *_PLAIN, *trees, "--", *_WRITTEN, environment=environment)
            for form in ("--numstat", "--name-status")
        )
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
    with scratch_index(root) as environment:
        tree = _tree(root, commit, patch, environment)
        listed = git(root, "ls-tree", "-r", "-z", "--name-only", tree, environment=environment)
    return [name for name in listed.decode().split("\0") if name and ".gitignore" not in name]


@contextmanager
def patched_tree(root: Path, commit: str, patch: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the tree of `commit` with `patch` upon it, and the variables by which git finds it."""
    with scratch_index(root) as environment:
        yield _tree(root, commit, patch, environment), environment


def _tree(root: Path, commit: str, patch: bytes, environment: dict[str, str]) -> str:
    """Return the tree of `commit` with `patch` applied."""
    git(root, "read-tree", commit, environment=environment)
    if patch:
        apply = ["apply", "--cached", "--binary", "--whitespace=nowarn", "-"]
        # A patch names files from the top; in a folder below, git apply would not find them.
        git(top_folder(root)[0], *apply, stdin=patch, environment=environment)
    return git(root, "write-tree", environment=environment).decode().strip()
