"""Whether what a stage is about to read is what it read in the recorded run."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dvc.dependency.base import Dependency
from dvc.output import Output
from dvc.stage import Stage

from saltseg.reproduction.objects import Objects
from saltseg.reproduction.revisions import git

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
        yield stage.addressing, "has another command in dvc.yaml than in dvc.lock"
    for dependency in stage.deps:
        if _made(Path(dependency.fs_path), outputs):
            continue
        for name, state in _flat(dependency.workspace_status()):
            words = _WORDS.get(state, state) if _kept(stage, dependency) else _NOT_KEPT
            yield name, words.format(stage=stage.addressing)


def unlinked_inputs(
    stage: Stage, outputs: Mapping[Path, Output], objects: Objects
) -> Iterator[tuple[str, str]]:
    """Yield path and problem of each input that no longer is what another stage, or dvc add, made.

    So it is where a pipeline ran only in part, or where raw data were added anew afterwards.
    """
    for dependency in stage.deps:
        path = Path(dependency.fs_path)
        maker = next((out for out in outputs if path.is_relative_to(out)), None)
        if maker is None:
            continue
        out = outputs[maker]
        made: str | None = out.hash_info.value
        if path != maker and made:
            files = objects.files(made) or {}
            made = files.get(path.relative_to(maker).as_posix())
        if made and made != dependency.hash_info.value:
            source = out.stage.addressing
            yield str(dependency), f"is not the version of {source} that {stage.addressing} read"


def _made(path: Path, outputs: Mapping[Path, Output]) -> bool:
    """Tell whether a path is an output, lies in one, or holds some."""
    return any(path.is_relative_to(out) or out.is_relative_to(path) for out in outputs)


def _kept(stage: Stage, dependency: Dependency) -> bool:
    """Tell whether git holds anything of a dependency; a folder's .gitignore does not count."""
    path = Path(dependency.fs_path)
    root = Path(stage.repo.root_dir)
    if not path.is_relative_to(root):
        return False
    held = git(root, "ls-files", "-z", "--", str(path)).decode().split("\0")
    return any(name and not name.endswith(".gitignore") for name in held)


def _flat(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each name with its state; parameters come nested below their file."""
    for name, state in status.items():
        if isinstance(state, Mapping):
            yield from ((f"{name}: {key}", str(value)) for key, value in state.items())
        else:
            yield name, str(state)
