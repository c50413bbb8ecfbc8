"""MLflow's store: its client, the experiment, the pipeline's run, and runs that died unseen."""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]
from mlflow import MlflowClient
from mlflow.entities import Experiment, Run, ViewType
from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from saltseg.plumbing.errors import InputError, reason_of, without_password
from saltseg.project.processes import identity, lives
from saltseg.tracking.address import database, database_uri, server_uri, store_uri
from saltseg.tracking.migration import is_outdated, upgrade
from saltseg.tracking.patience import GREETING, TRANSFER, StoreError, time_limit
from saltseg.tracking.relocation import artifact_folder, relocate
from saltseg.tracking.run_search import search_runs

EXPERIMENT = "saltseg"

_IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""MLflow's own defaults let a dead server take minutes."""


def store_lock(folder: Path) -> FileLock:
    """Return the lock under which one process at a time opens, makes or upgrades the store."""
    return FileLock(folder / ".lock", timeout=60)


@contextmanager
def reached_store(folder: Path) -> Iterator[None]:
    """Turn it into an InputError where the store of `folder` cannot be asked, or refuses."""
    try:
        with time_limit(TRANSFER):
            yield
    except Timeout as error:
        raise InputError(
            f"{error.lock_file}: another process holds it; try again when that is done"
        ) from error
    except _errors() as error:
        remedy = "if the database is damaged, move it away"
        if server_uri():
            remedy = "start its server, or unset MLFLOW_TRACKING_URI"
        place = without_password(store_uri(folder))
        raise InputError(
            f"{place}: MLflow cannot be asked ({reason_of(error)}); {remedy}"
        ) from error


def _errors() -> tuple[type[Exception], ...]:
    """Return what MLflow raises where a store fails; for a server's garbage it is anything."""
    known = (MlflowException, StoreError, sqlite3.Error, SQLAlchemyError, ImportError)
    garbage = (RequestException, ValueError, LookupError, TypeError, AttributeError)
    return (*known, *garbage) if server_uri() else known


def open_store(folder: Path) -> MlflowClient:
    """Return a client of the store, as `open_client` does, while nobody else opens it."""
    with store_lock(folder):
        return open_client(store_uri(folder), folder)


def open_client(uri: str, folder: Path) -> MlflowClient:
    """Return a client of the store; bring the database in `folder` up to date before.

    One that an older MLflow made is upgraded, one that was moved or copied is told its new place.
    To be called under the store's lock, as by `open_store`.
    """
    for name, value in _IMPATIENT.items():
        os.environ.setdefault(name, value)
    path = database(folder)
    if uri == database_uri(path) and path.exists():
        if is_outdated(path):
            upgrade(path)
        relocate(path)
    client = MlflowClient(tracking_uri=uri)
    if uri.startswith(("http:", "https:")):
        _greet(client)
    return client


def _greet(client: MlflowClient) -> None:
    """Raise StoreError where what is there is no MLflow server: each has an experiment at least."""
    try:
        with time_limit(GREETING):
            found = client.search_experiments(ViewType.ALL, max_results=1)
    except ParseError as error:
        raise StoreError(f"it answers as no MLflow server does: {error}") from error
    if not found or not found[0].experiment_id:
        raise StoreError("it answers as no MLflow server does")


def open_experiment(client: MlflowClient, uri: str, folder: Path, suffix: str = "") -> str:
    """Return the experiment's id; make it, and with it a new database, if need be.

    suffix: of the name, for runs that are none of the pipeline.
    Raises InputError where it was deleted: its runs come back with it.
    """
    name = (os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT) + suffix
    known = client.get_experiment_by_name(name)
    if known is None:
        # A server knows where its artifacts belong; a bare database would take the stage's folder.
        remote = uri.startswith(("http:", "https:", "databricks"))
        location = None if remote else artifact_folder(folder).as_uri()
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            known = _made_meanwhile(client, name)
    if known.lifecycle_stage == "deleted":
        raise InputError(
            f"MLflow's experiment {name!r} was deleted, with its runs; bring it back with"
            f" 'mlflow experiments restore --experiment-id {known.experiment_id}', where"
            f" MLFLOW_TRACKING_URI is '{without_password(uri)}', or name another by"
            " MLFLOW_EXPERIMENT_NAME"
        )
    return str(known.experiment_id)


def find_parent(
    client: MlflowClient, experiment: str, process: dict[str, Any], root: Path
) -> Run | None:
    """Return the run of the pipeline that `process`, a pid and its identity, runs in `root`."""
    query = f"tags.host = '{socket.gethostname()}' and tags.`pipeline.pid` = '{process['pid']}'"
    name = os.environ.get("DVC_EXP_NAME", "")
    for run in search_runs(client, [experiment], query):
        tags = run.data.tags
        same_place = tags.get("root") == str(root) and tags.get("dvc.experiment", "") == name
        if tags.get("pipeline.identity") == process["identity"] and same_place:
            return run
    return None


def sweep(client: MlflowClient, experiment: str) -> None:
    """End as KILLED the running runs of this host whose recorder is gone, as by a power cut."""
    query = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
    for run in [*search_runs(client, [experiment], query)]:
        if not _recorder_lives(run.data.tags):
            client.set_terminated(run.info.run_id, "KILLED")


def recorder_tags() -> dict[str, str]:
    """Return the tags by which `sweep` finds this process."""
    return {"recorder.pid": str(os.getpid()), "recorder.identity": identity(os.getpid())}


def _recorder_lives(tags: dict[str, str]) -> bool:
    if "recorder.pid" not in tags:
        return True  # a run that someone else records in the same experiment
    pid = int(tags["recorder.pid"])
    if "recorder.identity" not in tags:  # of a saltseg that compared starts
        return psutil.pid_exists(pid)
    return lives(pid, tags["recorder.identity"])


def _made_meanwhile(client: MlflowClient, name: str) -> Experiment:
    """Return the experiment that another host made between our question and our attempt."""
    known = client.get_experiment_by_name(name)
    if known is None:
        raise RuntimeError(f"experiment {name!r} can neither be found nor made")
    return known
