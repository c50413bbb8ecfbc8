"""Running a recorded run again."""

import graphlib
import shutil
from collections.abc import Iterable, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import Stage

from saltseg.plumbing.errors import InputError, first_few
from saltseg.project import dvc_lock
from saltseg.project.dvc_process import STANDARD_ERROR, environment_of_checkout, run_dvc
from saltseg.project.pipeline import overlaps
from saltseg.reproduction.clean_clone import clean_clone
from saltseg.reproduction.comparison import Comparison, compare
from saltseg.reproduction.environments import recorded_threads
from saltseg.reproduction.inputs import in_git, stage_name
from saltseg.reproduction.objects import Objects
from saltseg.reproduction.records import RunRecord
from saltseg.reproduction.verification import recorded_outputs, verify_inputs, verify_outputs


@dataclass(frozen=True)
class Request:
    """Which part of a run to reproduce, and how."""

    first: str | None = None
    """The first stage to run, with or without an item; None for the whole pipeline."""
    cached: bool = False
    """Take outputs from DVC's cache and remote, and run only the stages without them."""


def reproduce(record: RunRecord, root: Path, request: Request) -> Comparison:
    """Run a recorded run again in a clean clone, and compare outputs and metrics with the record.

    root: the checkout whose cache, remotes and raw data are used; nothing in it changes. The
    clone's stages run with this Python, and print to standard error.

    Raises InputError if the record is incomplete, if an input with the recorded hash is not
    available (both name what is missing), and if a stage fails.
    """
    lacking = record.lacks()
    if lacking:
        raise InputError(f"{record.name}: cannot be reproduced; missing: {'; '.join(lacking)}")
    with clean_clone(record, root) as clone:
        with Repo(str(clone)) as repo:
            again = _chosen(repo, record, request.first)
            _restore(repo, record, root, again, request.cached)
        names = [stage.name for stage in again]
        _run(clone, record, names, request.cached)
        with Repo(str(clone)) as repo:
            lock = dvc_lock.read((clone / "dvc.lock").read_bytes())
            return compare(record, clone, lock, names, Objects(repo))


def _chosen(repo: Repo, record: RunRecord, first: str | None) -> list[Stage]:
    """Return the stages to run in topological order: all, or `first` and all downstream."""
    above = {stage: set(repo.index.graph.successors(stage)) for stage in repo.index.graph}
    ordered = list(graphlib.TopologicalSorter(above).static_order())
    stages = [stage for stage in ordered if stage.cmd and stage.name in record.lock]
    if first is None:
        return stages
    chosen: list[Stage] = []
    for stage in stages:
        named = first in (stage.name, stage.name.partition("@")[0])
        if named or above[stage] & set(chosen):
            chosen.append(stage)
    if not chosen:
        raise InputError(
            f"{first}: is not a stage of {record.name}; give one of {', '.join(record.lock)}"
        )
    return chosen


def _restore(repo: Repo, record: RunRecord, root: Path, again: list[Stage], cached: bool) -> None:
    """Bring the inputs of the stages `again` into the clone, except those they make themselves.

    cached: bring their outputs too, if they are available.
    """
    outputs = recorded_outputs(repo, record)
    objects = Objects(repo)
    whole, findings = [], []
    for out in outputs.values():
        if not out.use_cache or (out.stage in again and not cached):
            continue
        wrong = verify_outputs([out], objects)
        if not wrong:
            whole.append(out)
        elif not (cached and out.stage.cmd and all(each.absent for each in wrong)):
            findings += wrong
    stages = [stage for stage in repo.index.stages if stage_name(stage) in record.lock]
    _borrow(stages, outputs, root)
    findings += verify_inputs(stages, outputs, objects)
    if findings:
        raise InputError(f"{record.name}: cannot be reproduced; {first_few(findings)}")
    _checkout(repo, whole, objects)


def _borrow(stages: Iterable[Stage], outputs: Mapping[Path, Output], root: Path) -> None:
    """Copy data that neither git nor DVC tracks, such as Kaggle's in data/raw, from `root`.

    A folder that was empty in the run needs no copy. The hashes of the others are checked later.
    """
    for dependency in (each for stage in stages for each in stage.deps):
        path, clone = Path(dependency.fs_path), Path(dependency.repo.root_dir)
        if overlaps(path, outputs) or not path.is_relative_to(clone):
            continue
        if path.is_file() or in_git(dependency) or not dependency.workspace_status():
            continue
        source = root / path.relative_to(clone)
        if source.is_dir():
            shutil.copytree(source, path, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copy2(source, path)


def _checkout(repo: Repo, outputs: list[Output], objects: Objects) -> None:
    """Check out outputs in the clone, after fetching those that only the remote has."""
    distant = [out for out in outputs if not objects.cached(out.hash_info.value)]
    try:
        # DVC resolves a bare stage name in the current folder.
        with chdir(repo.root_dir):
            if distant:
                repo.fetch(targets=[out.fs_path for out in distant])
            if outputs:
                repo.checkout(targets=[out.fs_path for out in outputs], force=True)
    except DvcException as error:
        raise InputError(f"dvc: {' '.join(str(error).split())}") from error


def _run(clone: Path, record: RunRecord, names: list[str], cached: bool) -> None:
    """Run the stages in the clone with dvc: all of them, or if `cached` those without outputs."""
    # New outputs stay out of the cache, which is shared with `root`.
    arguments = ["repro", "--no-commit"]
    arguments += names if cached else ["--force", "--single-item", *names]
    # Without MLflow's variables, its stages are recorded in the clone alone.
    variables = environment_of_checkout(recorded_threads(record), foreign=("MLFLOW",))
    code = run_dvc(clone, arguments, variables, STANDARD_ERROR)
    if code != 0:
        raise InputError(f"{record.name}: dvc repro ended with code {code}; see its output above")
