"""Whether dvc came to the end of what it was asked for, told from dvc.lock.

The recorder is no parent of dvc and cannot ask how it ended. dvc.lock says what is left: stages
that it lacks, and stages whose inputs were made anew while they were not.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from saltseg.project import dvc_lock
from saltseg.project.pipeline import Pipeline, overlaps

Stages = Mapping[str, Any]

_UNCLEAR = {"--downstream", "--glob", "-R", "--recursive", "-i", "--interactive", "--allow-missing"}
"""Options of `dvc repro` with which its targets cannot be told from its command line."""

_RUNS = {("dvc", "repro"), ("exp", "run"), ("saltseg", "train"), ("--wait-for-lock", "repro")}
"""Neighbours in the command line of what runs a pipeline to its end; a stage by hand has none."""


def unfinished(
    pipeline: Pipeline, command: Sequence[str], before: Stages, after: Stages
) -> list[str]:
    """Return the names of the stages that the pipeline's process was asked for and left undone.

    command: its command line. before, after: dvc.lock's stages at its first stage's start, and at
    its end. Nothing is returned where the command line does not tell what was asked for.
    """
    wanted = _wanted(pipeline, command)
    made = dvc_lock.hashes(
        {name: after[name] for name in pipeline.names() if name in after}, "outs"
    )
    old = dvc_lock.hashes(before, "outs")
    anew = [PurePath(path) for path, digest in made.items() if old.get(path) != digest]
    return [name for name in wanted if _is_left(name, made, anew, before, after)]


def _is_left(
    name: str, made: Mapping[str, str], anew: list[PurePath], before: Stages, after: Stages
) -> bool:
    """Tell whether a stage is missing, or still stands as before upon inputs that are new."""
    if name not in after:
        return True
    read = dvc_lock.hashes({name: after[name]}, "deps")
    if any(made.get(path, digest) != digest for path, digest in read.items()):
        return True
    stands = before.get(name) == after[name]
    within = [path for path in read if path not in made]
    return stands and any(overlaps(PurePath(path), anew) for path in within)


def _names(command: Sequence[str]) -> list[str]:
    return [PurePath(each).name for each in command]


def _wanted(pipeline: Pipeline, command: Sequence[str]) -> list[str]:
    """Return the stages that a command line of dvc asks for, with all above them."""
    names = pipeline.names()
    runs = any(pair in _RUNS for pair in zip(_names(command), command[1:], strict=False))
    if not runs or _UNCLEAR & set(command):
        return []
    bare = [each.rpartition("dvc.yaml:")[2] for each in command[1:]]
    targets = {name for name in names if {name, name.partition("@")[0]} & set(bare)}
    if not targets:
        return names
    if {"-s", "--single-item"} & set(command):
        return [name for name in names if name in targets]
    last = max(names.index(name) for name in targets)
    above = {name.partition("@")[0] for name in targets}
    needed = [name for name in names[: last + 1] if name.partition("@")[0] not in above]
    return [*needed, *(name for name in names if name in targets)]
