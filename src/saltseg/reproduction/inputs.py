"""Whether what a stage is about to read is what it read in the recorded run."""

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
    "modified": "is not the version that {stage} ran with, whose hash dvc.lock has",
    "deleted": "is missing, but {stage} read it",
    "new": "is read by {stage}, and dvc.lock has no hash of it",
}
_NOT_KEPT = (
    "with the contents that {stage} read is neither in git nor in DVC; dvc add keeps such data"
)


def changed_inputs(stage: Stage, outputs: Mapping[Path, Output]) -> Iterator[tuple[str, str]]:
    """Yield path and problem of each input that differs in the workspace from dvc.lock.

    stage: a stage of DVC. outputs: all outputs by path, of which the workspace may hold none;
    `unlinked_inputs` compares those. A parameter is named by its dotted path.
    """
    if stage.cmd_changed:
        yield stage.name, "has another command in dvc.yaml than in dvc.lock"
    for dependency in stage.deps:
        if overlaps(Path(dependency.fs_path), outputs):
            continue
        for name, state in _states(dependency):
            words = _WORDS.get(state, state) if in_git(dependency) else _NOT_KEPT
            yield name, words.format(stage=stage.name) + _changed_within(dependency)


def unlinked_inputs(
    stage: Stage, outputs: Mapping[Path, Output], objects: Objects
) -> Iterator[tuple[str, str]]:
    """Yield path and problem of each input that no longer is what another stage, or dvc add, made.

    So it is where a pipeline ran only in part, or where raw data were added anew afterwards.
    """
    for dependency in stage.deps:
        path = Path(dependency.fs_path)
        makers = [out for place, out in outputs.items() if overlaps(path, [place])]
        made = _made(path, makers, objects)
        if made and made != dependency.hash_info.value:
            names = ", ".join(stage_name(out.stage) for out in makers)
            yield path_of(dependency), f"as {stage.name} read it is not as {names} left it"


def _made(path: Path, makers: list[Output], objects: Objects) -> str | None:
    """Return the hash that `path` has in the outputs that it is, lies in or holds, if known."""
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
    """Return the path of an output or a dependency below the project, or in full outside of it.

    DVC's own names of them change with the folder that one works in.
    """
    path, root = Path(output.fs_path), Path(output.repo.root_dir)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def stage_name(stage: Stage) -> str:
    """Return a stage's name in dvc.yaml; for data of dvc add, the path of their .dvc file."""
    return stage.name if stage.cmd else Path(stage.path_in_repo).as_posix()


def in_git(dependency: Dependency) -> bool:
    """Tell whether git holds anything of a dependency; a folder's .gitignore does not count."""
    path, root = Path(dependency.fs_path), Path(dependency.repo.root_dir)
    if not path.is_relative_to(root):
        return False
    held = git(root, "ls-files", "-z", "--", str(path)).decode().split("\0")
    return any(name and not name.endswith(".gitignore") for name in held)


def _changed_within(dependency: Dependency) -> str:
    """Name the files of a folder that changed since dvc.lock was committed, where git knows."""
    path, root = Path(dependency.fs_path), Path(dependency.repo.root_dir)
    if not path.is_dir() or not path.is_relative_to(root):
        return ""
    locked = git(root, "log", "-1", "--format=%H", "--", "dvc.lock").decode().strip()
    if not locked:
        return ""
    options = ["--name-only", "--relative", "--no-ext-diff", "--no-renames", "-z"]
    names = git(root, "diff", *options, locked, "--", str(path)).decode().split("\0")
    return f"; since then changed: {first_few(names[:-1])}" if names[:-1] else ""


def _states(dependency: Dependency) -> Iterator[tuple[str, str]]:
    """Yield the state of what differs; parameters come nested below their file."""
    for state in dependency.workspace_status().values():
        if isinstance(state, Mapping):
            yield from ((f"{dependency.def_path}: {key}", each) for key, each in state.items())
        else:
            yield path_of(dependency), state
