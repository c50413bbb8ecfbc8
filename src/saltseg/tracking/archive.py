"""Recorded runs of the pipeline, read back from MLflow."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR
from mlflow.exceptions import MlflowException

from saltseg.reports.page import Facts
from saltseg.tracking import wait_for_recorders
from saltseg.tracking.run_content import RECORD
from saltseg.tracking.run_report import REPORT, read_facts
from saltseg.tracking.run_search import search_runs
from saltseg.tracking.store import open_store

_PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class EndedRun:
    """A finished run of the pipeline, and the seconds from its start to its end."""

    run_id: str
    seconds: float


@dataclass(frozen=True)
class ArchivedRun:
    """A run of the pipeline."""

    run_id: str
    status: str
    tags: dict[str, str]
    files: dict[str, bytes]
    """Contents of the files below record/, by their path there."""


class Archive:
    """The runs in the store of `folder`, or on the server at MLFLOW_TRACKING_URI."""

    def __init__(self, folder: Path) -> None:
        """Open the store. folder: the project's mlruns, which contains a database."""
        self.folder = folder
        self.client = open_store(folder)

    def with_id(self, start: str) -> list[str]:
        """Return the ids of the pipeline runs with this id, or with a stage's run of this id.

        start: an id or its first characters.
        """
        found = self._search(f"attributes.run_id LIKE '{start}%'")
        return sorted({run.data.tags.get(_PARENT, run.info.run_id) for run in found})

    def of_experiment(self, name: str, revision: str = "") -> list[str]:
        """Return the ids of the runs of the DVC experiment `name`, latest first.

        revision: the experiment's commit, because names can be reused; "" for any.
        """
        found = self._search(f"tags.`dvc.experiment` = '{name}'")
        return [
            run.info.run_id
            for run in found
            if _PARENT not in run.data.tags
            and revision in ("", run.data.tags.get("dvc.revision", ""))
        ]

    def open(self, run_id: str) -> ArchivedRun:
        """Read a run's tags and record; a missing record is empty."""
        run = self.client.get_run(run_id)
        return ArchivedRun(
            run_id=run_id,
            status=run.info.status,
            tags=run.data.tags,
            files=read_record(self.client, run_id),
        )

    def with_file(self, name: str, content: bytes, most: int) -> EndedRun | None:
        """Return the latest of the last `most` finished runs that recorded a file like this one.

        name, content: a file below record/, such as dvc.lock, and its bytes.
        """
        found = self._search("attributes.status = 'FINISHED'")
        pipelines = [run for run in found if _PARENT not in run.data.tags][:most]
        for run in pipelines:
            with tempfile.TemporaryDirectory(prefix="saltseg-record-") as folder:
                path = _downloaded(self.client, run.info.run_id, f"{RECORD}/{name}", folder)
                if path is not None and path.read_bytes() == content:
                    spent = (run.info.end_time - run.info.start_time) / 1000
                    return EndedRun(run.info.run_id, spent)
        return None

    def facts(self, run_id: str) -> Facts | None:
        """Return what a run's report shows; None if it has no report."""
        with tempfile.TemporaryDirectory(prefix="saltseg-report-") as folder:
            found = _downloaded(self.client, run_id, REPORT, folder)
            return read_facts(found) if found else None

    def _search(self, query: str) -> list[Run]:
        """Search all experiments, latest run first, after waiting for active recorders."""
        places = [each.experiment_id for each in self.client.search_experiments()]
        found = [*search_runs(self.client, places, query)]
        if any(run.info.status == "RUNNING" for run in found):
            wait_for_recorders(self.folder)
            found = [*search_runs(self.client, places, query)]
        return found


def read_record(client: MlflowClient, run_id: str) -> dict[str, bytes]:
    """Return the contents of the files below a run's record/ by path; {} without a record."""
    with tempfile.TemporaryDirectory(prefix="saltseg-record-") as folder:
        record = _downloaded(client, run_id, RECORD, folder)
        paths = [path for path in sorted(record.rglob("*")) if path.is_file()] if record else []
        return {path.relative_to(record).as_posix(): path.read_bytes() for path in paths if record}


def _downloaded(client: MlflowClient, run_id: str, name: str, folder: str) -> Path | None:
    """Download an artifact, a file or a folder; None if the run has none of this name."""
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.set(False)
    try:
        return Path(client.download_artifacts(run_id, name, folder))
    except (MlflowException, OSError):
        return None
