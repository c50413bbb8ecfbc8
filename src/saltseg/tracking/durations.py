"""How long stages took when they last ran, as MLflow's runs of them tell."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.flat import flat_params
from saltseg.plumbing.layout import Layout
from saltseg.project import dvc_lock
from saltseg.project.pipeline import Item, Pipeline
from saltseg.project.run_files import Files
from saltseg.tracking.address import has_store
from saltseg.tracking.run_search import search_runs
from saltseg.tracking.store import open_store, reached_store

_PAGE = 1000


class Durations:
    """The finished runs of some stages, the last first."""

    def __init__(self, root: Path, stages: Sequence[str]) -> None:
        """Read them from the store of the checkout `root`, or the server that is set.

        Without a store, or where it cannot be asked, no stage has a known duration.
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
        """Return the seconds that a pipeline's stages took, those of its items together.

        A stage that DVC took from its cache has no run of its own: it took what the last run with
        the same parameters and inputs took. One that was interrupted counts from where it went on.
        Fields that the schema has gained since, and params.yaml does not name, are no difference.

        files: the pipeline's params.yaml, dvc.yaml and dvc.lock. params: all, as a run logs them.
        Returns None where there is no such run of an item.
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
        """Return the seconds of the last run of one item, with these parameters and inputs."""
        tracked = pipeline.tracked(stage, item)
        params = _below(flat_params(pipeline.params), tracked)
        needed = params.keys() & written
        inputs = pipeline.inputs(outputs, stage, item)
        tags = {f"input.{path}": digest for path, digest in inputs.items()}
        tags |= {"dvc.stage": stage, "dvc.item": " ".join(item)}
        for run in self.runs:
            recorded = _below(run.data.params, tracked)
            same = recorded.items() <= params.items() and needed <= recorded.keys()
            if same and tags.items() <= run.data.tags.items():
                return float(run.info.end_time - run.info.start_time) / 1000
        return None


def _finished(client: MlflowClient, places: list[str], stage: str) -> list[Run]:
    query = f"tags.`dvc.stage` = '{stage}' and attributes.status = 'FINISHED'"
    return [*search_runs(client, places, query)]


def _below(flat: dict[str, str], paths: Sequence[str]) -> dict[str, str]:
    """Return the parameters that are, or lie below, one of the dotted paths."""
    return {
        name: value
        for name, value in flat.items()
        if any(f"{name}.".startswith(f"{path}.") for path in paths)
    }
