"""The runs in MLflow: the pipeline's, and a stage's nested in it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from saltseg.plumbing.errors import first_few
from saltseg.plumbing.flat import below, flat_metrics, flat_params
from saltseg.plumbing.layout import Layout
from saltseg.project import dvc_lock
from saltseg.project.code_state import code_patch, experiment_revision, pipeline_name, run_tags
from saltseg.project.lineage import locked_outputs
from saltseg.project.model_export import export_model
from saltseg.project.pipeline import Item, Pipeline, prefixed
from saltseg.project.run_files import (
    Files,
    environment,
    files_of_folder,
    files_of_run,
    results_in,
)
from saltseg.reports.page import Facts
from saltseg.tracking.address import store_uri
from saltseg.tracking.clock import now_ms
from saltseg.tracking.cluster_run import NODES, joined_run
from saltseg.tracking.completeness import unfinished
from saltseg.tracking.run_artifacts import Artifacts, complete, gather
from saltseg.tracking.run_content import LONGEST_TAG, RECORD, log_files, log_params
from saltseg.tracking.run_description import description
from saltseg.tracking.run_list import show_scores
from saltseg.tracking.run_metrics import RunMetrics
from saltseg.tracking.run_origin import datasets, log_crops, origin, pipeline_origin
from saltseg.tracking.run_report import REPORT, complete_facts, read_facts, recorded_page
from saltseg.tracking.store import (
    end_abandoned,
    end_run,
    find_parent,
    open_client,
    open_experiment,
    recorder_tags,
    store_lock,
    sweep,
)

_CURVES = ("train-per-fold", {"loss", "validation_bce", "validation_score"})
"""The stage and its metrics that the pipeline's run also shows as curves over epochs."""


@dataclass(frozen=True)
class _End:
    """What dvc has left, read once: the next pipeline may soon change it.

    at: milliseconds since 1970. left: the stages that dvc was killed before.
    """

    at: int
    revision: str
    files: Files
    left: list[str]


class PipelineRecord:
    """The pipeline's run, open until the pipeline's process has ended."""

    def __init__(self, begin: dict[str, Any]) -> None:
        """Open it from the first stage's first message."""
        self.root, self.main = Path(begin["root"]), Path(begin["main"])
        self.params = flat_params(begin["params"])
        self.pipeline = Pipeline((self.root / "dvc.yaml").read_bytes(), begin["params"])
        self.started: float = begin["time"] / 1000
        self.command: list[str] = begin["command"]
        self.locked = dvc_lock.read_checkout(self.root)
        self.status = "FINISHED"
        self.name = pipeline_name(self.root)
        self.environment = environment(begin["params"])
        self.seconds: dict[str, float] = {}
        self.facts: Facts | None = None
        self.artifacts: Artifacts = {}
        self.model: TemporaryDirectory[str] | None = None
        self.joined = joined_run()
        self.end: _End | None = None
        folder = Layout(self.main).mlruns
        uri = store_uri(folder)
        # One process at a time creates the database, the experiment and the parent run.
        with store_lock(folder):
            self.client = open_client(uri, folder)
            self.experiment = open_experiment(self.client, uri, folder)
            show_scores(self.client, self.experiment)
            sweep(self.client, self.experiment)
            self.run, shown = self._opened(begin)
        self.metrics = RunMetrics(self.client, self.run, shown)
        if self.joined is not None:
            return
        # Stages that DVC skips cannot report: their metrics are those of the earlier run.
        results = results_in(files_of_folder(self.root))
        self.metrics.final(self.pipeline.metrics(results, before=begin["stage"]), begin["time"])

    def create(
        self, name: str, started: int, tags: dict[str, str], params: Mapping[str, str]
    ) -> str:
        """Create a run with tags and parameters; return its id."""
        made = self.client.create_run(self.experiment, started, tags, run_name=name)
        run = str(made.info.run_id)
        log_params(self.client, run, params)
        return run

    def take(self, message: dict[str, Any]) -> None:
        """Log one message of the process that runs the pipeline on a cluster."""
        match message["kind"]:
            case "nodes":
                nodes = json.dumps(message["content"], indent=2, sort_keys=True).encode()
                log_files(self.client, self.run, {NODES: nodes}, RECORD)
            case "failed":
                self.fail(message["stage"], "FAILED", message["error"])

    def gather_plots(self, last: str | None = None) -> None:
        """Read the plots of the stages up to `last`, and the report.

        Called at each stage's end, before dvc removes a temporary checkout.
        """
        places = self.pipeline.places(last)
        layout = Layout(self.root)
        self.artifacts |= gather(layout.plots(""), places)
        self.facts = read_facts(layout.report) or self.facts

    def fail(self, stage: str, status: str, error: str) -> None:
        """Note that a stage failed: the run will end with the stage's status."""
        self.status = status
        self.client.set_tag(self.run, "error", f"{stage}: {error}"[:LONGEST_TAG])

    def keep_model(self) -> None:
        """Export the model and import what logs it, before dvc removes a temporary checkout."""
        import saltseg.tracking.logged_model  # noqa: F401  # only here: pyfunc takes a second

        self.model = TemporaryDirectory(prefix=".model-", dir=Layout(self.main).mlruns)
        export_model(Layout(self.root), Path(self.model.name))

    def close(self) -> None:
        """Log what dvc has written since, and end the run; one that was joined goes on.

        After a failure call it again: every step may be repeated, and changes nothing then.
        """
        if self.joined is not None:
            return
        end = self.end = self.end or self._read_end()
        end_abandoned(self.client, self.experiment, self.run)
        if end.revision:
            self.client.set_tag(self.run, "dvc.revision", end.revision)
        log_files(self.client, self.run, end.files, RECORD)
        if end.left:
            self.fail("dvc", "KILLED", f"it ended before {first_few(end.left)}")
        results = results_in(end.files)
        self.metrics.final(self.pipeline.metrics(results), end.at)
        end_run(self.client, self.run, self.status, end.at)
        log_crops(self.client, self.run, dvc_lock.hashes(dvc_lock.read(_lock(end.files)), "outs"))
        if self.status == "FINISHED":
            self._describe(results)
        self._record_model(end.files)

    def _record_model(self, files: Files) -> None:
        if self.model is None:
            return
        from saltseg.tracking.logged_model import record_model

        record_model(self.client, self.run, Path(self.model.name), files)
        self.model.cleanup()  # before others get the lock

    def _read_end(self) -> _End:
        finished = self.status == "FINISHED"
        revision = experiment_revision(self.main, self.started, patient=finished)
        files = files_of_run(self.root, self.main, revision)
        left = self._left(revision)
        if finished and not left:
            with suppress(OSError):  # better a picture less than no record
                self.gather_plots()
        return _End(now_ms(), revision, files, left)

    def _left(self, revision: str) -> list[str]:
        """Return what dvc left undone if it was killed between two stages, which none reports."""
        # dvc commits an experiment, and removes its temporary copy, after the last stage.
        if self.status != "FINISHED" or revision or not self.root.exists():
            return []
        now = dvc_lock.read_checkout(self.root)
        return unfinished(self.pipeline, self.command, self.locked, now)

    def _opened(self, begin: dict[str, Any]) -> tuple[str, dict[str, float]]:
        """Return id and metrics of the pipeline's run; resume that of a recorder that died."""
        if self.joined is not None:
            return self.joined, dict(self.client.get_run(self.joined).data.metrics)
        known = find_parent(self.client, self.experiment, begin["pipeline"], self.root)
        tags = run_tags(self.root) | recorder_tags()
        if known:
            run = str(known.info.run_id)
            self.name = known.info.run_name or self.name
            for key, value in tags.items():
                self.client.set_tag(run, key, value)
            self.client.update_run(run, status="RUNNING")
            return run, dict(known.data.metrics)
        process = {f"pipeline.{key}": str(value) for key, value in begin["pipeline"].items()}
        patch = code_patch(self.root)
        tags |= process | {"root": str(self.root), "seed": self.params["base.seed"]} | patch.tags()
        tags |= pipeline_origin(self.command, self.root, begin["params"])
        run = self.create(self.name, begin["time"], tags, self.params)
        facts = json.dumps(self.environment, indent=2).encode()
        patched = {"changes.patch": patch.text} if patch.text else {}
        log_files(self.client, run, {"environment.json": facts, **patched}, RECORD)
        return run, {}

    def _describe(self, results: dict[str, Any]) -> None:
        """Log the run's pictures and tables by kind, and its description."""
        artifacts = complete(self.artifacts) | self._report(results)
        log_files(self.client, self.run, artifacts, "")
        page = description(results, artifacts, self.run)
        self.client.set_tag(self.run, "mlflow.note.content", page[:LONGEST_TAG])

    def _report(self, results: dict[str, Any]) -> Artifacts:
        """Return the report; none where the pipeline did not come to the stage that writes it."""
        stale = self.facts is None or self.facts.get("score") != results.get("score")
        if self.facts is None or stale or "score" not in self.pipeline.metrics(results):
            return {}
        known = complete_facts(self.facts, self.name, self.environment, self.seconds)
        return {REPORT: recorded_page(known)}


class StageRecord:
    """The open run of a stage; every method calls MLflow."""

    def __init__(self, parent: PipelineRecord, begin: dict[str, Any]) -> None:
        """Open the run, with the hashes of the stage's inputs."""
        self.parent = parent
        self.client = parent.client
        self.stage: str = begin["stage"]
        self.item: Item = tuple(map(str, begin["parts"]))
        self.name = " ".join([self.stage, *self.item])
        self.started: int = begin["time"]
        inputs = parent.pipeline.inputs(locked_outputs(parent.root), self.stage, self.item)
        tags = {
            "mlflow.parentRunId": parent.run,
            "dvc.stage": self.stage,
            "dvc.item": " ".join(self.item),
            **{f"input.{path}": digest for path, digest in inputs.items()},
        }
        tags |= run_tags(parent.root) | recorder_tags() | origin(f"stages/{_script(self.stage)}")
        params = below(parent.params, parent.pipeline.tracked(self.stage, self.item))
        self.run = parent.create(self.name, begin["time"], tags, params)
        self.metrics = RunMetrics(self.client, self.run)
        if inputs:
            self.client.log_inputs(self.run, datasets(inputs))

    def take(self, message: dict[str, Any]) -> None:
        """Log one message of the stage."""
        match message["kind"]:
            case "metrics":
                numbers = flat_metrics(message["content"])
                self.metrics.final(numbers, message["time"])
                named = prefixed(numbers, self.stage, self.item)
                self.parent.metrics.final(named, message["time"])
            case "epoch":
                self._show_epoch(message["values"], message["time"], message["step"])
            case "artifact":
                self._log_artifact(Path(message["path"]))
            case "model":
                self.parent.keep_model()
            case "end":
                self._end(message["status"], message["error"], message["time"])

    def _log_artifact(self, path: Path) -> None:
        if path.is_dir():
            self.client.log_artifacts(self.run, str(path), path.name)
        else:
            self.client.log_artifact(self.run, str(path))

    def _show_epoch(self, values: dict[str, float], at: int, step: int) -> None:
        self.metrics.epoch(values, at, step)
        stage, names = _CURVES
        if self.stage == stage:
            shown = {key: value for key, value in values.items() if key in names}
            self.parent.metrics.epoch(prefixed(shown, self.stage, self.item), at, step)

    def _end(self, status: str, error: str | None, at: int) -> None:
        if status == "FINISHED":
            self.parent.seconds[self.name] = (at - self.started) / 1000
            self.parent.gather_plots(self.stage)
        if error is not None:
            self.client.set_tag(self.run, "error", error[:LONGEST_TAG])
            self.parent.fail(self.name, status, error)
        end_run(self.client, self.run, status)


def _script(stage: str) -> str:
    return f"{stage.replace('-', '_')}.py"


def _lock(files: Files) -> bytes:
    return files.get("dvc.lock", b"")
