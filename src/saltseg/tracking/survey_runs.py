"""The prediction of a survey as a run of its own, below the run that trained the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from saltseg.plumbing.flat import flat_metrics, flat_params
from saltseg.plumbing.layout import Layout
from saltseg.project.code_state import run_tags
from saltseg.tracking.address import store_uri
from saltseg.tracking.clock import now_ms
from saltseg.tracking.run_content import log_files, log_params, whole_run
from saltseg.tracking.run_metrics import RunMetrics
from saltseg.tracking.store import open_client, open_experiment, reached_store, store_lock

_SUFFIX = "-surveys"


@dataclass(frozen=True)
class SurveyRun:
    """What MLflow keeps of a survey: a name, the record, and small files by path."""

    name: str
    record: Mapping[str, Any]
    files: Mapping[str, bytes]


def log_survey(root: Path, survey: SurveyRun) -> str:
    """Log a survey to the store of the checkout `root`; return the run's id.

    Its parent is the run that trained the model, "run" in the record's "model". If the record has
    none, or this store does not know it, the survey stands in an experiment of its own. Raises
    InputError where MLflow cannot be asked, or refuses.
    """
    folder = Layout(root).mlruns
    with reached_store(folder):
        uri = store_uri(folder)
        with store_lock(folder):
            client = open_client(uri, folder)
            parent = _parent(client, survey.record["model"].get("run"))
            place = parent[0] if parent else open_experiment(client, uri, folder, _SUFFIX)
        tags = run_tags(root) | _tags(survey.record)
        tags |= {"mlflow.parentRunId": parent[1]} if parent else {}
        now = now_ms()
        with whole_run(client, place, survey.name, tags, now) as run:
            log_params(client, run, _params(survey.record))
            numbers = flat_metrics(_numbers(survey.record["results"]))
            RunMetrics(client, run).final(numbers, now)
            log_files(client, run, survey.files, "")
            client.set_terminated(run, "FINISHED")
    return run


def _parent(client: MlflowClient, run: str | None) -> tuple[str, str] | None:
    """Return experiment and id of the model's run; None where it is not known here."""
    if run is None:
        return None
    try:
        return str(client.get_run(run).info.experiment_id), run
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _tags(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes by which a survey's runs are found."""
    names = ("survey", "prediction")
    return {f"{name}.sha256": record[name]["sha256"] for name in names} | {"code": record["code"]}


def _params(record: Mapping[str, Any]) -> dict[str, str]:
    named = {"survey": record["survey"]["file"], "model": record["model"]}
    told = {"options": record["options"], "choices": record["choices"]}
    return flat_params(named | told)


def _numbers(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results with the names of sections as MLflow takes them."""
    sections = {name.replace(":", "_"): value for name, value in results["sections"].items()}
    return {**results, "sections": sections}
