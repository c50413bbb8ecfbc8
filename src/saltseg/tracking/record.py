"""One stage's run in MLflow, below the run of the pipeline."""

import json
import time
from pathlib import Path
from typing import Any

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from saltseg.tracking.facts import code_patch, pipeline_name, run_tags
from saltseg.tracking.flat import flat_metrics, flat_params
from saltseg.tracking.pipeline import Item, Pipeline, prefixed
from saltseg.tracking.store import find_parent, open_experiment, recorder_tags, store_uri, sweep

_MOST_METRICS = 1000
_MOST_PARAMS = 100
_LONGEST_PARAM = 6000
"""MLflow's limits for one batch and for one value."""


class Record:
    """The open run of a stage and its parent; every method is a call to MLflow."""

    def __init__(self, begin: dict[str, Any]) -> None:
        """Open both runs as the stage's first message says."""
        self.stage: str = begin["stage"]
        self.item: Item = tuple(map(str, begin["parts"]))
        self.params = flat_params(begin["params"])
        self.pipeline = Pipeline(Path(begin["root"]), begin["params"])
        self.tags = run_tags(Path(begin["root"])) | recorder_tags()
        folder = Path(begin["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        uri = store_uri(folder)
        # One at a time makes a new database, the experiment, the parent.
        with FileLock(folder / ".lock", timeout=60):
            self.client = MlflowClient(tracking_uri=uri)
            self.experiment = open_experiment(self.client, uri, folder)
            sweep(self.client, self.experiment)
            self.parent = self._open_parent(begin)
        self.run = self._open_run(begin)

    def take(self, message: dict[str, Any]) -> None:
        """Mirror one message of the stage."""
        match message["kind"]:
            case "metrics":
                numbers = flat_metrics(message["content"])
                self._log_metrics(self.run, numbers, message["time"])
                named = prefixed(numbers, self.stage, self.item)
                self._log_metrics(self.parent, named, message["time"])
            case "epoch":
                self._log_metrics(self.run, message["values"], message["time"], message["step"])
            case "artifact":
                self._log_artifact(Path(message["path"]))
            case "end":
                self._end(message["status"], message["error"])

    def _open_parent(self, begin: dict[str, Any]) -> str:
        """Return the id of the pipeline's run, which is running now."""
        known = find_parent(self.client, self.experiment, begin["pipeline"])
        if known:
            parent = str(known.info.run_id)
            self.client.log_batch(parent, tags=_tags(recorder_tags()))
            self.client.update_run(parent, status="RUNNING")
            return parent
        process = {f"pipeline.{key}": str(value) for key, value in begin["pipeline"].items()}
        name = pipeline_name(self.pipeline.layout.root)
        parent = self._create(name, begin["time"], self.tags | process)
        # What DVC skips runs no code that could report it: these are its metrics of before.
        self._log_metrics(parent, self.pipeline.metrics(before=self.stage), begin["time"])
        patch = code_patch(self.pipeline.layout.root)
        if patch:
            self.client.log_text(parent, patch, "changes.patch")
        return parent

    def _open_run(self, begin: dict[str, Any]) -> str:
        """Start the stage's run, with the hashes of what it reads."""
        inputs = self.pipeline.inputs(self.stage, self.item)
        tags = {
            "mlflow.parentRunId": self.parent,
            "dvc.stage": self.stage,
            "dvc.item": " ".join(self.item),
            **{f"input.{path}": digest for path, digest in inputs.items()},
        }
        run = self._create(" ".join([self.stage, *self.item]), begin["time"], self.tags | tags)
        if inputs:
            self.client.log_inputs(run, [_dataset(*each) for each in inputs.items()])
        return run

    def _create(self, name: str, started: int, tags: dict[str, str]) -> str:
        made = self.client.create_run(self.experiment, started, tags, run_name=name)
        run = str(made.info.run_id)
        params = [Param(key, value[:_LONGEST_PARAM]) for key, value in self.params.items()]
        for start in range(0, len(params), _MOST_PARAMS):
            self.client.log_batch(run, params=params[start : start + _MOST_PARAMS])
        return run

    def _log_metrics(self, run: str, numbers: dict[str, float], at: int, step: int = 0) -> None:
        metrics = [Metric(key, value, at, step) for key, value in numbers.items()]
        for start in range(0, len(metrics), _MOST_METRICS):
            self.client.log_batch(run, metrics=metrics[start : start + _MOST_METRICS])

    def _log_artifact(self, path: Path) -> None:
        if path.is_dir():
            self.client.log_artifacts(self.run, str(path), path.name)
        else:
            self.client.log_artifact(self.run, str(path))

    def _end(self, status: str, error: str | None) -> None:
        """End the run, and the parent until its next stage; one failure marks it for good."""
        if error is not None:
            name = " ".join([self.stage, *self.item])
            self.client.set_tag(self.run, "error", error[:5000])
            self.client.set_tag(self.parent, "error", f"{name}: {error}"[:5000])
        elif self.pipeline.is_last(self.stage):
            self._log_metrics(self.parent, self.pipeline.metrics(), _now())
        self.client.set_terminated(self.run, status)
        failed_before = "error" in self.client.get_run(self.parent).data.tags
        self.client.set_terminated(
            self.parent, "FAILED" if failed_before and status == "FINISHED" else status
        )


def _dataset(path: str, digest: str) -> DatasetInput:
    source = json.dumps({"uri": path})
    dataset = Dataset(name=path, digest=digest, source_type="local", source=source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "input")])


def _tags(tags: dict[str, str]) -> list[RunTag]:
    return [RunTag(key, value) for key, value in tags.items()]


def _now() -> int:
    return int(time.time() * 1000)
