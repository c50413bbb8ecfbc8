"""MLflow's store: its client, the experiment, the pipeline's run, and abandoned runs."""

import logging
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
from saltseg.tracking.relocation import artifact_folder, relocate
from saltseg.tracking.run_search import search_runs
from saltseg.tracking.time_limits import GREETING, TRANSFER, StoreError, time_limit

EXPERIMENT = "saltseg"

_PROCESS_TAGS = (
    "pipeline.pid",
    "pipeline.identity",
    "recorder.pid",
    "recorder.identity",
    "root",
)
"""Tags of a running run by which `find_parent` and `sweep` know its processes."""

_IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""Shorter than MLflow's defaults, with which a dead server takes minutes."""

_DAMAGED = "the database is damaged: move it away"
_UNWRITABLE = "free space or change the permissions"
_REMEDIES = {
    "database is locked": "another process is writing to it; try again when that is done",
    "is not a database": _DAMAGED,
    "disk image is malformed": _DAMAGED,
    "readonly database": _UNWRITABLE,
    "unable to open database": _UNWRITABLE,
    "disk is full": _UNWRITABLE,
}
"""What to do about SQLite's errors, by words in them."""


def store_lock(folder: Path) -> FileLock:
    """Return the lock under which one process at a time opens, creates or upgrades the store."""
    return FileLock(folder / ".lock", timeout=60)


@contextmanager
def reached_store(folder: Path) -> Iterator[None]:
    """Convert errors of the store of `folder` into an InputError."""
    try:
        with time_limit(TRANSFER):
            yield
    except Timeout as error:
        raise InputError(
            f"{error.lock_file}: is held by another process; try again when that is done"
        ) from error
    except _errors() as error:
        place = without_password(store_uri(folder))
        raise InputError(
            f"{place}: MLflow cannot be asked ({reason_of(error)}); {_remedy(error)}"
        ) from error


def _remedy(error: Exception) -> str:
    """Return what to do about a store's error."""
    said = str(error)
    found = next((remedy for words, remedy in _REMEDIES.items() if words in said), None)
    if found:
        return found
    if isinstance(error, OSError) and error.filename:
        return _UNWRITABLE
    return "start its server, or unset MLFLOW_TRACKING_URI" if server_uri() else "try again"


def _errors() -> tuple[type[Exception], ...]:
    """Return what MLflow raises if a store fails; with an invalid answer that may be anything."""
    known = (MlflowException, StoreError, sqlite3.Error, SQLAlchemyError, ImportError, OSError)
    garbage = (RequestException, ValueError, LookupError, TypeError, AttributeError)
    return (*known, *garbage) if server_uri() else known


def open_store(folder: Path) -> MlflowClient:
    """Return a client of the store, as `open_client` does, under the store's lock."""
    with store_lock(folder):
        return open_client(store_uri(folder), folder)


def open_client(uri: str, folder: Path) -> MlflowClient:
    """Return a client of the store, after bringing the database in `folder` up to date.

    A database of an older MLflow is upgraded; the artifact addresses of one that was moved or
    copied are updated. Call it under the store's lock, as `open_store` does.
    """
    for name, value in _IMPATIENT.items():
        os.environ.setdefault(name, value)
    path = database(folder)
    if uri == database_uri(path) and path.exists():
        if is_outdated(path):
            upgrade(path)
        relocate(path)
    with _without_news():
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)  # not MLFLOW_REGISTRY_URI's
    if uri.startswith(("http:", "https:")):
        _check_server(client)
    return client


@contextmanager
def _without_news() -> Iterator[None]:
    """Log no information: MLflow tells of each table of a new database."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.INFO))
    try:
        yield
    finally:
        logging.disable(before)


def _check_server(client: MlflowClient) -> None:
    """Raise StoreError if this is not an MLflow server: each has at least one experiment."""
    try:
        with time_limit(GREETING):
            found = client.search_experiments(ViewType.ALL, max_results=1)
    except ParseError as error:
        raise StoreError(f"it is not an MLflow server: {error}") from error
    if not found or not found[0].experiment_id:
        raise StoreError("it is not an MLflow server")


def open_experiment(client: MlflowClient, uri: str, folder: Path, suffix: str = "") -> str:
    """Return the experiment's id; create it, and a new database, if necessary.

    suffix: appended to the name, for runs that are not the pipeline's.
    Raises InputError if the experiment was deleted.
    """
    name = (os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT) + suffix
    known = client.get_experiment_by_name(name)
    if known is None:
        # A server has its own artifact location; without one, MLflow would use the stage's folder.
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
    """Return the run of the pipeline that `process` (pid and identity) is running in `root`."""
    query = f"tags.host = '{socket.gethostname()}' and tags.`pipeline.pid` = '{process['pid']}'"
    name = os.environ.get("DVC_EXP_NAME", "")
    for run in search_runs(client, [experiment], query):
        tags = run.data.tags
        same_place = tags.get("root") == str(root) and tags.get("dvc.experiment", "") == name
        if tags.get("pipeline.identity") == process["identity"] and same_place:
            return run
    return None


def sweep(client: MlflowClient, experiment: str) -> None:
    """End as KILLED this host's running runs whose recorder is gone, for example by a power cut."""
    query = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
    for run in [*search_runs(client, [experiment], query)]:
        tags = run.data.tags
        if _recorder_lives(tags):
            continue
        if _pipeline_lives(tags):  # its next recorder finds it by its tags
            client.set_terminated(run.info.run_id, "KILLED")
        else:
            end_run(client, run.info.run_id, "KILLED")


def end_abandoned(client: MlflowClient, experiment: str, parent: str) -> None:
    """End as KILLED the stages' runs below `parent` that still run after the pipeline's end.

    `sweep` ends those of this host; these are of cluster nodes that died.
    """
    query = f"attributes.status = 'RUNNING' and tags.`mlflow.parentRunId` = '{parent}'"
    for run in [*search_runs(client, [experiment], query)]:
        end_run(client, run.info.run_id, "KILLED")


def end_run(client: MlflowClient, run: str, status: str, at: int | None = None) -> None:
    """End a run; the tags by which its processes were found say nothing any more.

    at: milliseconds since 1970; None for now.
    """
    client.set_terminated(run, status, at)
    known = client.get_run(run).data.tags
    for tag in (each for each in _PROCESS_TAGS if each in known):
        client.delete_tag(run, tag)


def recorder_tags() -> dict[str, str]:
    """Return the tags by which `sweep` finds this process."""
    return {"recorder.pid": str(os.getpid()), "recorder.identity": identity(os.getpid())}


def _pipeline_lives(tags: dict[str, str]) -> bool:
    """Tell whether this is the run of a pipeline that is still running."""
    pid, known = tags.get("pipeline.pid"), tags.get("pipeline.identity", "")
    return pid is not None and lives(int(pid), known)


def _recorder_lives(tags: dict[str, str]) -> bool:
    if "recorder.pid" not in tags:
        return True  # someone else's run in the same experiment
    pid = int(tags["recorder.pid"])
    if "recorder.identity" not in tags:  # of an older saltseg, which compared start times
        return psutil.pid_exists(pid)
    return lives(pid, tags["recorder.identity"])


def _made_meanwhile(client: MlflowClient, name: str) -> Experiment:
    """Return the experiment that another host created between our search and our attempt."""
    known = client.get_experiment_by_name(name)
    if known is None:
        raise RuntimeError(f"experiment {name!r} can be neither found nor created")
    return known
