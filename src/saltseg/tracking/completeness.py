"""Whether dvc completed the stages it was asked for, judged by dvc.lock.

The recorder is not dvc's parent and cannot get its exit code. Stages left undone are missing from
dvc.lock, or are unchanged there although their inputs have changed.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from saltseg.project import dvc_lock
from saltseg.project.pipeline import Pipeline, overlaps

Stages = Mapping[str, Any]

_UNCLEAR = {"--downstream", "--glob", "-R", "--recursive", "-i", "--interactive", "--allow-missing"}
"""Options of `dvc repro` that hide its targets from the command line."""

_RUNS = {("dvc", "repro"), ("exp", "run"), ("saltseg", "train"), ("--wait-for-lock", "repro")}
"""Consecutive words in the command lines that run a whole pipeline; a single stage has none."""


def unfinished(
    pipeline: Pipeline, command: Sequence[str], before: Stages, after: Stages
) -> list[str]:
    """Return the names of the requested stages that the pipeline's process left undone.

    command: its command line. before, after: the stages in dvc.lock when its first stage started,
    and at its end. Returns [] if the command line does not tell what was requested.
    """
    wanted = _wanted(pipeline, command)
    made = dvc_lock.hashes(
        {name: after[name] for name in pipeline.names() if name in after}, "outs"
    )
    old = dvc_lock.hashes(before, "outs")
    changed = [PurePath(path) for path, digest in made.items() if old.get(path) != digest]
    return [name for name in wanted if _is_left(name, made, changed, before, after)]


def _is_left(
    name: str, made: Mapping[str, str], changed: list[PurePath], before: Stages, after: Stages
) -> bool:
    """Tell whether a stage is missing, or unchanged although its inputs changed."""
    if name not in after:
        return True
    read = dvc_lock.hashes({name: after[name]}, "deps")
    if any(made.get(path, digest) != digest for path, digest in read.items()):
        return True
    stands = before.get(name) == after[name]
    within = [path for path in read if path not in made]
    return stands and any(overlaps(PurePath(path), changed) for path in within)


def _names(command: Sequence[str]) -> list[str]:
    return [PurePath(each).name for each in command]


def _wanted(pipeline: Pipeline, command: Sequence[str]) -> list[str]:
    """Return the stages that a dvc command line requests, with all upstream stages."""
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
