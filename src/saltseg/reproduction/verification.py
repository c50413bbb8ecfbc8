"""Whether all that a run recorded is still to be had, and is what it was."""

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
    """One thing that is wrong with a run's record, or with what it names."""

    path: str
    """The output, or the file within one, or the part of the record."""
    problem: str
    """What is wrong with it, without the path."""
    absent: bool = False
    """Whether its bytes are nowhere; what is there and wrong is another matter."""

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.path} {self.problem}"


def verify(record: RunRecord, root: Path) -> list[Finding]:
    """Check that the hashes of a run are all still there and that their files match them.

    root: as for records.find_record. Every output in dvc.lock, and every file within
    one, has to be in DVC's cache or its default remote; files on this machine are hashed anew.
    Data of `dvc add` as well. Metrics, which DVC keeps in git, have to be in the record, and code,
    parameters and raw data have to be those whose hashes are in dvc.lock.

    Returns what is wrong; an empty list where all is well. Raises InputError where the run's code
    cannot be restored.
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
    """Return by path what the stages in the run's dvc.lock made, and what of dvc add they read."""
    stages = [stage for stage in repo.index.stages if stage_name(stage) in record.lock]
    read = {Path(each.fs_path): each for stage in stages for each in stage.deps}
    added = [out for stage in repo.index.stages if not stage.cmd for out in stage.outs]
    made = [out for stage in stages for out in stage.outs]
    made += [out for out in added if overlaps(Path(out.fs_path), read)]
    return {Path(out.fs_path): out for out in made}


def verify_inputs(
    stages: Iterable[Stage], outputs: Mapping[Path, Output], objects: Objects
) -> list[Finding]:
    """Check that what the workspace has for `stages` to read is what they read in the run."""
    return [
        Finding(*wrong)
        for stage in stages
        for wrong in (*changed_inputs(stage, outputs), *unlinked_inputs(stage, outputs, objects))
    ]


def verify_outputs(outputs: Iterable[Output], objects: Objects) -> list[Finding]:
    """Check that what DVC keeps of `outputs`, file by file, is whole in cache or remote."""
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
    """Check the metrics, which lie in git and in the record and not in DVC's cache."""
    findings = []
    for out in outputs:
        if out.use_cache:
            continue
        content = record.files.get(path_of(out))
        if content is None:
            findings.append(Finding(path_of(out), "is missing from the run's record"))
        elif hashlib.md5(content).hexdigest() != out.hash_info.value:
            findings.append(
                Finding(path_of(out), "in the record has another hash than in dvc.lock")
            )
    return findings
