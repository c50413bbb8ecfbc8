"""Recorded runs in small repositories, and what is read of their reproduction."""

import json
import subprocess
from pathlib import Path

import yaml
from mlflow import MlflowClient

from tests.tracking.conftest import DVC_YAML

RESULT = {"score": 0.5, "kind": "a text"}

EMPTY_HANDED = {
    "dvc.yaml": """
stages:
  ingest:
    cmd:
      - ls data/raw > listed
      - mkdir -p results
      - >-
        echo '{"files": 0}' > results/ingest.json
    deps: [data/raw]
    outs: [listed]
    metrics: [results/ingest.json: {cache: false}]
""",
    "params.yaml": "base: {seed: 1}\n",
    "requirements.lock": "numpy==2\n",
    "data/raw/.gitignore": "*\n!.gitignore\n",
}


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=saltseg", "-c", "user.email=saltseg@example.org")
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def make_repository(root: Path, migrated: Path) -> Path:
    """A commit with all that a run records, and an empty store of MLflow."""
    (root / "results").mkdir(parents=True)
    (root / "mlruns").mkdir()
    (root / "mlruns/mlflow.db").write_bytes(migrated.read_bytes())
    (root / ".gitignore").write_text("/mlruns\n")
    params = {"train_per_fold": {"members": ["lite0"], "folds": [0]}}
    stages = {"ingest": {"cmd": "x"}, "train-per-fold@lite0-0": {"cmd": "x"}}
    stale = {"train-per-fold@lite0-1": {"cmd": "x"}}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    (root / "dvc.yaml").write_text(DVC_YAML)
    (root / "dvc.lock").write_text(yaml.safe_dump({"stages": stages | stale}))
    (root / "requirements.lock").write_text("numpy==2\n")
    (root / "results/ingest.json").write_text(json.dumps(RESULT))
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A run")
    return root


def record_run(root: Path, leave_out: str = "", **tags: str) -> str:
    """Record the repository's files as a pipeline's run; return its id."""
    client = MlflowClient(f"sqlite:///{root}/mlruns/mlflow.db")
    known = client.get_experiment_by_name("runs")
    place = (root / "mlruns/artifacts").as_uri()
    experiment = known.experiment_id if known else client.create_experiment("runs", place)
    tags = {"mlflow.source.git.commit": git(root, "rev-parse", "HEAD")} | tags
    run = str(client.create_run(experiment, tags=tags).info.run_id)
    names = ["params.yaml", "dvc.yaml", "dvc.lock", "requirements.lock"]
    for name in (each for each in names if each != leave_out):
        client.log_artifact(run, str(root / name), "record")
    client.log_artifacts(run, str(root / "results"), "record/results")
    client.log_text(run, json.dumps({"python": "3.11.7"}), "record/environment.json")
    client.set_terminated(run)
    return run


def table_of(said: str) -> dict[str, list[str]]:
    """Return the rows of the table of outputs by path."""
    rows = [line.split() for line in said.splitlines()]
    return {row[1]: row for row in rows if len(row) == 5 and row[4] in ("same", "DIFFERENT")}
