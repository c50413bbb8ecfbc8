"""The record of a run: everything needed to reproduce it."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from saltseg.plumbing.errors import InputError, first_few, reason_of
from saltseg.plumbing.layout import Layout, check_project
from saltseg.project import dvc_lock
from saltseg.project.code_state import SYNCED, UNKNOWN
from saltseg.project.git import find_commit
from saltseg.project.pipeline import Pipeline
from saltseg.project.run_files import NAMES, RESULTS, files_of_commit, is_recorded, results_in
from saltseg.reproduction.revisions import find_experiments
from saltseg.tracking.address import has_store
from saltseg.tracking.cluster_run import NODES

if TYPE_CHECKING:
    from saltseg.tracking.archive import Archive, ArchivedRun

_PATCH = "changes.patch"
_ENVIRONMENT = "environment.json"
NO_COMMIT = "the commit of its code (tag mlflow.source.git.commit)"

_ID = re.compile(r"[0-9a-f]{4,32}")


@dataclass(frozen=True)
class RunRecord:
    """What a pipeline run recorded; missing parts are empty."""

    reference: str
    """The name the user gave."""
    commit: str
    """Full hash of the code's commit; "" if git could not be asked."""
    files: dict[str, bytes]
    """params.yaml, dvc.yaml, dvc.lock, requirements.lock and results/**.json, byte for byte."""
    patch: bytes = b""
    """The binary patch of a dirty tree on top of `commit`."""
    environment: dict[str, Any] | None = None
    """Python, processor, threads and package versions; None if not recorded."""
    run_id: str | None = None
    """The MLflow id of the pipeline's run; None for a bare commit."""
    status: str = "FINISHED"
    """The run's status in MLflow."""
    tags: dict[str, str] | None = None
    """The run's tags in MLflow."""
    nodes: dict[str, Any] | None = None
    """Facts of the node of each item that ran on a cluster; None for one machine."""

    @property
    def name(self) -> str:
        """Return a short name for tables and messages: the reference and what it refers to."""
        short = self.run_id or self.commit
        kind = "run" if self.run_id else "commit"
        known = short.startswith(self.reference)
        return f"{kind} {short[:12]}" if known else f"{self.reference} ({kind} {short[:12]})"

    @cached_property
    def params(self) -> dict[str, Any]:
        """Return the parameters."""
        with self._readable("params.yaml"):
            return dict(yaml.safe_load(self.files.get("params.yaml", b"")) or {})

    @cached_property
    def pipeline(self) -> Pipeline:
        """Return dvc.yaml."""
        with self._readable("dvc.yaml"):
            pipeline = Pipeline(self.files.get("dvc.yaml") or b"stages: {}", self.params)
            pipeline.names()  # reads all of it
            return pipeline

    @cached_property
    def lock(self) -> dict[str, Any]:
        """Return the stages of dvc.lock by name, in the order of dvc.yaml.

        Stages of members or folds that are no longer listed, which DVC keeps there, are left out.
        """
        stages = dvc_lock.read(self.files.get("dvc.lock", b""))
        return {name: stages[name] for name in self.pipeline.names() if name in stages}

    @cached_property
    def gap(self) -> str:
        """Name the stages that the run did not reach; "" for a complete pipeline."""
        missing = [name for name in self.pipeline.names() if name not in self.lock]
        count = f"{len(missing)} of its {len(self.pipeline.names())} stages"
        return f"; it did not reach {count}: {first_few(missing)}" if missing else ""

    @cached_property
    def results(self) -> dict[str, Any]:
        """Return the contents of the metrics files by "STAGE" or "STAGE/PART/PART"."""
        with self._readable(RESULTS):
            return results_in(self.files)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Return every metric as STAGE/ITEM/KEY."""
        with self._readable(RESULTS):
            return self.pipeline.metrics(self.results)

    @contextmanager
    def _readable(self, part: str) -> Iterator[None]:
        """Raise InputError where a part of the record, which came from a server, is garbage."""
        try:
            yield
        except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise InputError(
                f"{self.name}: {part} in its record is damaged ({reason_of(error)}); "
                "take another run"
            ) from error

    def lacks(self) -> list[str]:
        """Name what is missing from the record; [] for a complete one."""
        missing = [name for name in NAMES if not self.files.get(name)]
        if not missing and not self.metrics:
            missing.append(RESULTS)
        if not self.commit:
            missing.append(NO_COMMIT)
        if self.run_id:
            missing += self._lacks_of_run()
        return missing

    def _lacks_of_run(self) -> list[str]:
        tags = self.tags or {}
        missing = [] if self.environment or SYNCED in tags else [_ENVIRONMENT]
        if tags.get("git.dirty") == UNKNOWN:
            missing.append("the changes of its tree since the commit: git could not be asked")
        if tags.get("git.dirty") == "true" and not self.patch:
            missing.append(f"{_PATCH}, though its tree was dirty")
        digest = "sha256:" + hashlib.sha256(self.patch).hexdigest()
        if self.patch and tags.get("patch", digest) != digest:
            missing.append(f"{_PATCH} with the hash in its tag `patch`")
        if tags.get("patch.omitted"):
            missing.append(f"files too large for {_PATCH}: {tags['patch.omitted']}")
        if self.status != "FINISHED":
            missing.append(f"a finished pipeline (it is {self.status})")
        return missing


def find_record(reference: str, root: Path) -> RunRecord:
    """Find the record of the run that `reference` names.

    reference: an MLflow run id or its first characters (a stage's run stands for its pipeline's);
    the name of a DVC experiment; or a git revision, whose commit is then the record, without an
    environment. They are tried in this order.
    root: the checkout whose git and mlruns/ are used.

    Raises InputError if no run, or more than one, has this name, if MLflow cannot be asked, and if
    the code's commit is not in this repository. `RunRecord.lacks` names what else is missing.
    """
    check_project(root)
    record = _run_record(reference, root) or _commit_record(reference, root)
    if record is None:
        raise InputError(
            f"{reference}: is not an MLflow run, a DVC experiment or a git revision; "
            "'dvc exp show' and 'make ui' list them"
        )
    if record.commit and find_commit(root, record.commit) is None:
        raise InputError(
            f"{record.name}: its commit {record.commit} is not in this repository; "
            "fetch the branch that contains it"
        )
    return record


def _run_record(reference: str, root: Path) -> RunRecord | None:
    """Look up a run in MLflow by id or by its experiment's name."""
    folder = Layout(root).mlruns
    if not has_store(folder):
        return None
    from saltseg.tracking.archive import Archive  # imports MLflow, which takes seconds
    from saltseg.tracking.store import reached_store

    with reached_store(folder):
        run = _archived_run(reference, root, Archive(folder))
    if run is None:
        return None
    named = run.files
    environment = named.get(_ENVIRONMENT)
    return RunRecord(
        reference=reference,
        commit=run.tags.get("mlflow.source.git.commit", "").replace(UNKNOWN, ""),
        files={name: content for name, content in named.items() if is_recorded(name)},
        patch=named.get(_PATCH, b""),
        environment=_facts(reference, _ENVIRONMENT, environment),
        nodes=_facts(reference, NODES, named.get(NODES)),
        run_id=run.run_id,
        status=run.status,
        tags=run.tags,
    )


def _facts(reference: str, name: str, content: bytes | None) -> dict[str, Any] | None:
    try:
        return dict(json.loads(content)) if content else None
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{reference}: {name} in its record is damaged; take another run"
        ) from error


def _archived_run(reference: str, root: Path, archive: "Archive") -> "ArchivedRun | None":
    ids = archive.with_id(reference) if _ID.fullmatch(reference) else []
    if len(ids) > 1:
        raise InputError(f"{reference}: is the start of {first_few(ids)}; give more characters")
    if not ids and "'" not in reference:
        known = _experiment(reference, root)
        ids = archive.of_experiment(reference, known or "")[:1]
    return archive.open(ids[0]) if ids else None


def _commit_record(reference: str, root: Path) -> RunRecord | None:
    """Use the commit of an experiment or a revision as the record."""
    commit = _experiment(reference, root) or find_commit(root, reference)
    if commit is None:
        return None
    return RunRecord(reference, commit, files_of_commit(root, commit))


def _experiment(name: str, root: Path) -> str | None:
    """Return the commit of the DVC experiment with this name, or None."""
    commits = find_experiments(root, name)
    if len(commits) > 1:
        short = first_few([commit[:12] for commit in commits])
        raise InputError(f"{name}: names {len(commits)} experiments; give a commit: {short}")
    return commits[0] if commits else None
