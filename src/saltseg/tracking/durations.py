"""How long stages took when they last ran, from their runs in MLflow."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.flat import below, flat_params
from saltseg.plumbing.layout import Layout
from saltseg.project import dvc_lock
from saltseg.project.pipeline import Item, Pipeline
from saltseg.project.run_files import Files
from saltseg.tracking.address import has_store
from saltseg.tracking.run_search import search_runs
from saltseg.tracking.store import open_store, reached_store


class Durations:
    """The finished runs of some stages, latest first."""

    def __init__(self, root: Path, stages: Sequence[str]) -> None:
        """Read them from the store of the checkout `root`, or from the tracking server.

        Without a store, or if it fails, no duration is known.
        """
        self.stages = stages
        self.runs: list[Run] = []
        folder = Layout(root).mlruns
        with suppress(InputError), reached_store(folder):
            if not has_store(folder):
                return
            client = open_store(folder)
            places = [each.experiment_id for each in client.search_experiments()]
            self.runs = [run for stage in stages for run in _finished(client, places, stage)]

    def of(self, files: Files, params: dict[str, Any]) -> float | None:
        """Return the total seconds of a pipeline's stages, summed over their items.

        A stage that DVC restored from its cache has no run of its own; the latest run with the same
        parameters and inputs counts. For an interrupted stage only the time since it was resumed
        counts. Parameters added to the schema since, and missing from params.yaml, are ignored.

        files: the pipeline's params.yaml, dvc.yaml and dvc.lock. params: all, as a run logs them.
        Returns None if an item has no such run.
        """
        pipeline = Pipeline(files["dvc.yaml"], params)
        written = set(flat_params(yaml.safe_load(files["params.yaml"])))
        outputs = dvc_lock.hashes(dvc_lock.read(files["dvc.lock"]), "outs")
        found = [
            self._item(pipeline, written, outputs, stage, item)
            for stage in self.stages
            for item in pipeline.items(stage)
        ]
        known = [each for each in found if each is not None]
        return sum(known) if len(known) == len(found) else None

    def _item(
        self, pipeline: Pipeline, written: set[str], outputs: dict[str, str], stage: str, item: Item
    ) -> float | None:
        """Return the seconds of the latest run of one item with these parameters and inputs."""
        tracked = pipeline.tracked(stage, item)
        params = below(flat_params(pipeline.params), tracked)
        needed = params.keys() & written
        inputs = pipeline.inputs(outputs, stage, item)
        tags = {f"input.{path}": digest for path, digest in inputs.items()}
        tags |= {"dvc.stage": stage, "dvc.item": " ".join(item)}
        for run in self.runs:
            recorded = below(run.data.params, tracked)
            same = recorded.items() <= params.items() and needed <= recorded.keys()
            if same and tags.items() <= run.data.tags.items():
                return float(run.info.end_time - run.info.start_time) / 1000
        return None


def _finished(client: MlflowClient, places: list[str], stage: str) -> list[Run]:
    query = f"tags.`dvc.stage` = '{stage}' and attributes.status = 'FINISHED'"
    return [*search_runs(client, places, query)]
