import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.tracking import wait_for_recorders
from saltseg.tracking.address import store_uri
from saltseg.tracking.store import EXPERIMENT
from tests.helpers.made_once import made_once
from tests.helpers.servers import find_postgres, mlflow_server, postgres

IDENTITY = ("-c", "user.name=saltseg", "-c", "user.email=saltseg@example.org")

SOURCE = Path(__file__).parents[2]

STAGE = """
import os, signal, sys, time
from pathlib import Path
from saltseg.plumbing.layout import Layout
from saltseg.config.params import load_params
from saltseg.tracking import stage_run

layout = Layout(Path())
with stage_run(sys.argv[1], layout, load_params(layout.params), *sys.argv[3:]) as run:
    {body}
"""

DVC_YAML = """
stages:
  ingest:
    cmd: python stage.py ingest
  train-per-fold:
    matrix:
      member: ${train_per_fold.members}
      fold: ${train_per_fold.folds}
    cmd: python stage.py train-per-fold
    deps: [data/ingest, "data/pseudolabel/${item.fold}"]
  submit:
    cmd: python stage.py submit
"""


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of MLflow's newest schema, which takes seconds to make."""

    def make(folder: Path) -> None:
        MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()

    return made_once(tmp_path_factory, "migrated", make) / "mlflow.db"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server with a database of PostgreSQL and a folder of artifacts."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: no initdb in PATH or /usr/lib/postgresql")
    with (
        postgres(programs) as database,
        mlflow_server(database, tmp_path_factory.mktemp("server")) as address,
    ):
        yield address


on_both_stores = pytest.mark.parametrize("checkout", ["sqlite", "server"], indirect=True)
"""Marks a test that has to pass with the local database and with a tracking server."""


@pytest.fixture
def checkout(
    tmp_path: Path,
    migrated: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A project with the real parameters, three stages and a database, or a tracking server."""
    for name in os.environ:
        if name.startswith(("DVC", "MLFLOW")):
            monkeypatch.delenv(name)
    if getattr(request, "param", "sqlite") == "server":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue("server"))
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", str(tmp_path))  # the server is shared
    root = tmp_path / "a project"
    (root / "mlruns").mkdir(parents=True)
    shutil.copy(migrated, root / "mlruns" / "mlflow.db")
    shutil.copy(SOURCE / "params.yaml", root)
    (root / "dvc.yaml").write_text(DVC_YAML)
    (root / ".gitignore").write_text("/mlruns\n")
    commit_all(root)
    return root


def commit_all(root: Path) -> None:
    """Make a git repository of `root`, with all its files in one commit."""
    for arguments in (["init", "--quiet"], ["add", "--all"], [*IDENTITY, "commit", "-qm", "One"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True)


def write_old_store(root: Path) -> None:
    """Put a database that MLflow 3.1 made, with one run, in place of the checkout's."""
    database = root / "mlruns" / "mlflow.db"
    database.unlink()
    old = Path(__file__).with_name("store_of_mlflow_3_1.sql").read_text()
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(old)


def start_stage(
    root: Path, body: str, *arguments: str, **environment: str
) -> "subprocess.Popen[str]":
    """Start a stage whose work is `body`, as its own process in `root`; arguments: stage, item."""
    names = arguments or ("ingest",)
    script = STAGE.replace("{body}", body)
    return subprocess.Popen(
        [sys.executable, "-c", script, names[0], "", *names[1:]],
        cwd=root,
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(checkout: Path) -> Start:
    """Start a stage in the checkout."""
    return partial(start_stage, checkout)


@pytest.fixture
def pipeline(checkout: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that stands for dvc: stages that name it in their environment share a parent."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)
    yield process
    process.communicate("")


def under(pipeline: "subprocess.Popen[str]", **environment: str) -> dict[str, str]:
    """Return the environment of a stage that belongs to `pipeline`."""
    return {"SALTSEG_PIPELINE": str(pipeline.pid), **environment}


def client_of(root: Path) -> MlflowClient:
    """Return a client of the checkout's store."""
    return MlflowClient(store_uri(root / "mlruns"))


def runs(root: Path) -> dict[str, Run]:
    """Return the runs of the checkout's store by name, the parent as "pipeline"."""
    wait_for_recorders(root / "mlruns")
    return recorded(root)


def recorded(root: Path) -> dict[str, Run]:
    """Return the same while recorders may still be at work."""
    client = client_of(root)
    experiment = client.get_experiment_by_name(os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT))
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    return {
        run.info.run_name if "mlflow.parentRunId" in run.data.tags else "pipeline": run
        for run in found
    }
