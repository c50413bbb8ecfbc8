"""Checking that a stage's inputs are those of the recorded run."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from dvc.dependency.base import Dependency
from dvc.output import Output
from dvc.stage import Stage

from saltseg.plumbing.errors import first_few
from saltseg.project.dvc_lock import tree_hash
from saltseg.project.git import git
from saltseg.project.pipeline import overlaps
from saltseg.reproduction.objects import Objects, is_folder

_WORDS = {
    "modified": "differs from dvc.lock: {stage} ran with another version",
    "deleted": "is missing, but {stage} read it",
    "new": "is read by {stage}, but dvc.lock has no hash for it",
}
_NOT_KEPT = "as {stage} read it is neither in git nor in DVC; keep such data with 'dvc add'"


def changed_inputs(stage: Stage, outputs: Mapping[Path, Output]) -> Iterator[tuple[str, str]]:
    """Yield path and problem of each input in the workspace that differs from dvc.lock.

    stage: a stage of DVC. outputs: all outputs by path; they need not be in the workspace, and
    `unlinked_inputs` compares them. A parameter is named by its dotted path.
    """
    if stage.cmd_changed:
        yield stage.name, "has different commands in dvc.yaml and dvc.lock"
    for dependency in stage.deps:
        if overlaps(Path(dependency.fs_path), outputs):
            continue
        for name, state in _states(dependency):
            words = _WORDS.get(state, state) if in_git(dependency) else _NOT_KEPT
            yield name, words.format(stage=stage.name) + _changed_within(dependency)


def unlinked_inputs(
    stage: Stage, outputs: Mapping[Path, Output], objects: Objects
) -> Iterator[tuple[str, str]]:
    """Yield path and problem of each input that differs from the output of a stage or of `dvc add`.

    This happens if the pipeline ran only in part, or if raw data were added again later.
    """
    for dependency in stage.deps:
        path = Path(dependency.fs_path)
        makers = [out for place, out in outputs.items() if overlaps(path, [place])]
        made = _made(path, makers, objects)
        if made and made != dependency.hash_info.value:
            names = ", ".join(stage_name(out.stage) for out in makers)
            yield path_of(dependency), f"as {stage.name} read it differs from what {names} wrote"


def _made(path: Path, makers: list[Output], objects: Objects) -> str | None:
    """Return the hash of `path` from the outputs that equal, contain or make it up, if known."""
    files: dict[str, str] = {}
    for out in makers:
        place, digest = Path(out.fs_path), str(out.hash_info.value)
        if place == path:
            return digest
        listed = objects.files(digest) if is_folder(digest) else {"": digest}
        if listed is None:
            return None
        files |= {os.path.relpath(place / name, path): each for name, each in listed.items()}
    inside = any(path.is_relative_to(out.fs_path) for out in makers)
    return files.get(".") if inside or not files else tree_hash(files)


def path_of(output: Output) -> str:
    """Return the path of an output or dependency relative to the project, or absolute outside it.

    The paths that DVC prints depend on the current folder.
    """
    path, root = Path(output.fs_path), Path(output.repo.root_dir)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def stage_name(stage: Stage) -> str:
    """Return a stage's name in dvc.yaml; for data of `dvc add`, the path of the .dvc file."""
    return stage.name if stage.cmd else Path(stage.path_in_repo).as_posix()


def in_git(dependency: Dependency) -> bool:
    """Tell whether git tracks any of a dependency's files; a folder's .gitignore does not count."""
    path, root = Path(dependency.fs_path), Path(dependency.repo.root_dir)
    if not path.is_relative_to(root):
        return False
    held = git(root, "ls-files", "-z", "--", str(path)).decode().split("\0")
    return any(name and not name.endswith(".gitignore") for name in held)


def _changed_within(dependency: Dependency) -> str:
    """Name the files of a folder that changed since dvc.lock was committed, if git knows."""
    path, root = Path(dependency.fs_path), Path(dependency.repo.root_dir)
    if not path.is_dir() or not path.is_relative_to(root):
        return ""
    locked = git(root, "log", "-1", "--format=%H", "--", "dvc.lock").decode().strip()
    if not locked:
        return ""
    options = ["--name-only", "--relative", "--no-ext-diff", "--no-renames", "-z"]
    names = git(root, "diff", *options, locked, "--", str(path)).decode().split("\0")
    return f"; changed since: {first_few(names[:-1])}" if names[:-1] else ""


def _states(dependency: Dependency) -> Iterator[tuple[str, str]]:
    """Yield name and state of what differs; parameters are nested under their file."""
    for state in dependency.workspace_status().values():
        if isinstance(state, Mapping):
            yield from ((f"{dependency.def_path}: {key}", each) for key, each in state.items())
        else:
            yield path_of(dependency), state
