"""An ablation in MLflow: one run, in an experiment of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import MlflowClient

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import write_json, write_text
from saltseg.plumbing.layout import Layout
from saltseg.project.code_state import run_tags
from saltseg.tracking.address import store_uri
from saltseg.tracking.clock import now_ms
from saltseg.tracking.experiments import sync_experiments
from saltseg.tracking.run_content import LONGEST_TAG, log_params, whole_run
from saltseg.tracking.run_metrics import RunMetrics
from saltseg.tracking.store import (
    open_client,
    open_experiment,
    reached_store,
    recorder_tags,
    store_lock,
    sweep,
)

_SUFFIX = "-ablations"


@dataclass(frozen=True)
class AblationRecord:
    """What MLflow keeps of an ablation."""

    name: str
    table: str
    """Markdown, for ablation.md and the run's description."""
    content: Mapping[str, Any]
    """All of it, for ablation.json."""
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def log_ablation(root: Path, record: AblationRecord) -> None:
    """Log an ablation of the project `root`, and create the missing runs of its experiments.

    Raises InputError if MLflow fails.
    """
    folder = Layout(root).mlruns
    try:
        sync_experiments(root)
        with reached_store(folder):
            _log(root, folder, record)
    except InputError as error:
        raise InputError(
            f"the table is complete, but the ablation is not in MLflow: {error}; run the same "
            "command again to log it"
        ) from error


def _log(root: Path, folder: Path, record: AblationRecord) -> None:
    uri = store_uri(folder)
    with store_lock(folder):
        client = open_client(uri, folder)
        place = open_experiment(client, uri, folder, _SUFFIX)
        sweep(client, place)
    now = now_ms()
    note = {"mlflow.note.content": record.table[:LONGEST_TAG]}
    tags = run_tags(root) | recorder_tags() | note
    with whole_run(client, place, record.name, tags, now) as run:
        log_params(client, run, record.params)
        RunMetrics(client, run).final(record.metrics, now)
        _log_files(client, run, record)
        client.set_terminated(run, "FINISHED")


def _log_files(client: MlflowClient, run: str, record: AblationRecord) -> None:
    with TemporaryDirectory() as folder:
        write_text(Path(folder, "ablation.md"), record.table)
        write_json(Path(folder, "ablation.json"), record.content)
        client.log_artifacts(run, folder)
