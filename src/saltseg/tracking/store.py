"""MLflow's store: where it is, the experiment, the pipeline's run, and runs that died unseen."""

import os
import socket
from pathlib import Path
from typing import Any

import psutil
from mlflow import MlflowClient
from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException

from saltseg.tracking.migration import is_outdated, upgrade

EXPERIMENT = "saltseg"

_CLOCK_DRIFT = 5.0
"""Seconds by which a process's start seems to move when the system's clock is set."""


def store_uri(folder: Path) -> str:
    """Return MLFLOW_TRACKING_URI, or the SQLite database in `folder`."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow.db'}"


def open_client(uri: str, folder: Path) -> MlflowClient:
    """Return a client of the store; upgrade the database in `folder` if an older MLflow made it."""
    database = folder / "mlflow.db"
    if uri == f"sqlite:///{database}" and database.exists() and is_outdated(database):
        upgrade(database)
    return MlflowClient(tracking_uri=uri)


def open_experiment(client: MlflowClient, uri: str, folder: Path, suffix: str = "") -> str:
    """Return the experiment's id; make it, and with it a new database, if need be.

    suffix: of the name, for runs that are none of the pipeline.
    """
    name = (os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT) + suffix
    known = client.get_experiment_by_name(name)
    if known is None:
        # A server knows where its artifacts belong; a bare database would take the stage's folder.
        remote = uri.startswith(("http:", "https:", "databricks"))
        location = None if remote else (folder / "artifacts").as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            known = _made_meanwhile(client, name)
    return str(known.experiment_id)


def find_parent(
    client: MlflowClient, experiment: str, process: dict[str, Any], root: Path
) -> Run | None:
    """Return the run of the pipeline that `process`, a pid and its start, runs below `root`."""
    query = f"tags.host = '{socket.gethostname()}' and tags.`pipeline.pid` = '{process['pid']}'"
    name = os.environ.get("DVC_EXP_NAME", "")
    for run in client.search_runs([experiment], query, order_by=["attributes.start_time DESC"]):
        tags = run.data.tags
        drift = abs(float(tags["pipeline.created"]) - process["created"])
        same_place = tags.get("root") == str(root) and tags.get("dvc.experiment", "") == name
        if drift < _CLOCK_DRIFT and same_place:
            return run
    return None


def sweep(client: MlflowClient, experiment: str) -> None:
    """End as KILLED the running runs of this host whose recorder is gone, as by a power cut."""
    query = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
    for run in client.search_runs([experiment], query):
        if not _recorder_lives(run.data.tags):
            client.set_terminated(run.info.run_id, "KILLED")


def recorder_tags() -> dict[str, str]:
    """Return the tags by which `sweep` finds this process."""
    process = psutil.Process()
    return {"recorder.pid": str(process.pid), "recorder.created": str(process.create_time())}


def _recorder_lives(tags: dict[str, str]) -> bool:
    if "recorder.pid" not in tags:
        return True  # a run that someone else records in the same experiment
    try:
        created = psutil.Process(int(tags["recorder.pid"])).create_time()
    except psutil.Error:
        return False
    return abs(created - float(tags["recorder.created"])) < _CLOCK_DRIFT


def _made_meanwhile(client: MlflowClient, name: str) -> Experiment:
    """Return the experiment that another host made between our question and our attempt."""
    known = client.get_experiment_by_name(name)
    if known is None:
        raise RuntimeError(f"experiment {name!r} can neither be found nor made")
    return known
