"""An ablation in MLflow: one run, in an experiment beside the pipeline's."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from saltseg.errors import InputError
from saltseg.files import write_json, write_text
from saltseg.tracking.experiments import sync_experiments
from saltseg.tracking.facts import run_tags
from saltseg.tracking.store import open_client, open_experiment, reached_store, store_uri

_SUFFIX = "-ablations"
_MOST_METRICS = 1000
_LONGEST_PARAM = 6000
_LONGEST_TAG = 5000
"""MLflow's limits for one batch and for one value."""


@dataclass(frozen=True)
class AblationRecord:
    """What MLflow keeps of an ablation."""

    name: str
    table: str
    """Markdown: ablation.md, and the description of the run."""
    content: Mapping[str, Any]
    """All of it: ablation.json."""
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def log_ablation(root: Path, record: AblationRecord) -> None:
    """Log an ablation of the project `root`, and make the rows that its experiments lack.

    Raises InputError where MLflow cannot be asked, or refuses.
    """
    folder = root.resolve() / "mlruns"
    try:
        sync_experiments(root)
        with reached_store(folder):
            _log(root, folder, record)
    except InputError as error:
        raise InputError(
            f"MLflow has no record of this ablation, whose table stands: {error}; "
            "the same command logs it"
        ) from error


def _log(root: Path, folder: Path, record: AblationRecord) -> None:
    uri = store_uri(folder)
    with FileLock(folder / ".lock", timeout=60):
        client = open_client(uri, folder)
        place = open_experiment(client, uri, folder, _SUFFIX)
    now = int(time.time() * 1000)
    run = str(client.create_run(place, now, run_name=record.name).info.run_id)
    tags = run_tags(root) | {"mlflow.note.content": record.table[:_LONGEST_TAG]}
    logged = [Metric(key, value, now, 0) for key, value in record.metrics.items()]
    client.log_batch(
        run,
        metrics=logged[:_MOST_METRICS],
        params=[Param(key, value[:_LONGEST_PARAM]) for key, value in record.params.items()],
        tags=[RunTag(key, value) for key, value in tags.items()],
    )
    _log_files(client, run, record)
    client.set_terminated(run, "FINISHED")


def _log_files(client: MlflowClient, run: str, record: AblationRecord) -> None:
    with TemporaryDirectory() as folder:
        write_text(Path(folder, "ablation.md"), record.table)
        write_json(Path(folder, "ablation.json"), record.content)
        client.log_artifacts(run, folder)
