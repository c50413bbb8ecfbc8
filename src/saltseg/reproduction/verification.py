"""Checking that everything a run recorded still exists unchanged."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import Stage

from saltseg.project.pipeline import overlaps
from saltseg.reproduction.clean_clone import clean_clone
from saltseg.reproduction.inputs import (
    changed_inputs,
    path_of,
    stage_name,
    unlinked_inputs,
)
from saltseg.reproduction.objects import Objects, State, is_folder
from saltseg.reproduction.records import RunRecord

_WHOLE = (State.CACHED, State.REMOTE)


@dataclass(frozen=True)
class Finding:
    """One problem of a run's record, or of something it refers to."""

    path: str
    """An output, a file in one, or a part of the record."""
    problem: str
    """The problem, without the path."""
    absent: bool = False
    """Whether the bytes are nowhere, and not merely wrong."""

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.path} {self.problem}"


def verify(record: RunRecord, root: Path) -> list[Finding]:
    """Check that the files of all hashes in a run's record exist and match their hashes.

    root: as for records.find_record. Every output in dvc.lock, every file in one and all data of
    `dvc add` must be in DVC's cache or default remote; local files are hashed again. Metrics that
    git holds must be in the record. Code, parameters and raw data must have the hashes in
    dvc.lock.

    Returns the problems; [] if there are none. Raises InputError if the run's code cannot be
    restored.
    """
    lacking = [Finding(part, "is missing from the run's record") for part in record.lacks()]
    if lacking:
        return lacking
    with clean_clone(record, root) as clone, Repo(str(clone)) as repo:
        outputs = recorded_outputs(repo, record)
        objects = Objects(repo)
        findings = verify_outputs(outputs.values(), objects)
        findings += _verify_results(outputs.values(), record)
        stages = [stage for stage in repo.index.stages if stage_name(stage) in record.lock]
        findings += verify_inputs(stages, outputs, objects)
    return findings


def recorded_outputs(repo: Repo, record: RunRecord) -> dict[Path, Output]:
    """Return by path the outputs of the stages in dvc.lock, and the `dvc add` data they read."""
    stages = [stage for stage in repo.index.stages if stage_name(stage) in record.lock]
    read = {Path(each.fs_path): each for stage in stages for each in stage.deps}
    added = [out for stage in repo.index.stages if not stage.cmd for out in stage.outs]
    made = [out for stage in stages for out in stage.outs]
    made += [out for out in added if overlaps(Path(out.fs_path), read)]
    return {Path(out.fs_path): out for out in made}


def verify_inputs(
    stages: Iterable[Stage], outputs: Mapping[Path, Output], objects: Objects
) -> list[Finding]:
    """Check that the inputs of `stages` in the workspace are those of the run."""
    return [
        Finding(*wrong)
        for stage in stages
        for wrong in (*changed_inputs(stage, outputs), *unlinked_inputs(stage, outputs, objects))
    ]


def verify_outputs(outputs: Iterable[Output], objects: Objects) -> list[Finding]:
    """Check that every file of the cached `outputs` is intact in cache or remote."""
    kept = [out for out in outputs if out.use_cache]
    return [finding for out in kept for finding in _verify_output(out, objects)]


def _verify_output(out: Output, objects: Objects) -> Iterator[Finding]:
    digest: str | None = out.hash_info.value
    if digest is None:
        yield Finding(path_of(out), "has no hash in the record")
        return
    state = objects.state(digest)
    if state not in _WHOLE:
        yield _finding(path_of(out), digest, state)
    elif is_folder(digest):
        for name, each in (objects.files(digest) or {}).items():
            state = objects.state(each)
            if state not in _WHOLE:
                yield _finding(f"{path_of(out)}/{name}", each, state)


def _finding(path: str, digest: str, state: State) -> Finding:
    return Finding(path, f"({digest[:12]}) is {state.value}", absent=state is State.MISSING)


def _verify_results(outputs: Iterable[Output], record: RunRecord) -> list[Finding]:
    """Check the outputs, such as score.json, that git and the record hold, but not DVC's cache."""
    findings = []
    for out in outputs:
        if out.use_cache:
            continue
        content = record.files.get(path_of(out))
        if content is None:
            findings.append(Finding(path_of(out), "is missing from the run's record"))
        elif hashlib.md5(content).hexdigest() != out.hash_info.value:
            findings.append(
                Finding(path_of(out), "in the record differs from its hash in dvc.lock")
            )
    return findings
