"""`saltseg sync`: MLflow runs for DVC experiments that have none.

Stages report to MLflow when they run, but an experiment restored from DVC's run cache runs no
stage. DVC is the source of truth, so the missing run is created from the experiment's commit. An
experiment made by `dvc exp save` has a run already, which only needs its name.
"""

import hashlib
from pathlib import Path
from typing import Any

import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.config.params import parse_params
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.flat import flat_params
from saltseg.plumbing.layout import Layout, check_project
from saltseg.project import dvc_lock
from saltseg.project.code_state import SYNCED, commit_patch
from saltseg.project.dvc_experiments import Experiment, list_experiments
from saltseg.project.pipeline import Pipeline
from saltseg.project.run_files import NAMES, Files, files_of_commit, results_in, uncached_results
from saltseg.tracking.address import store_uri
from saltseg.tracking.archive import read_record
from saltseg.tracking.run_content import RECORD, log_files, log_params, whole_run
from saltseg.tracking.run_list import show_scores
from saltseg.tracking.run_metrics import RunMetrics
from saltseg.tracking.run_origin import log_crops, origin, recipe_tag
from saltseg.tracking.run_search import search_runs
from saltseg.tracking.store import open_client, open_experiment, reached_store, store_lock


def sync_experiments(root: Path) -> tuple[list[str], list[str]]:
    """Create an MLflow run for each DVC experiment that has none; idempotent.

    A run whose experiment was renamed, or saved after the run, gets the new name; one left
    incomplete by an earlier call is created again.
    Returns the names of the experiments whose runs were created, and of all experiments.
    Raises InputError outside a project, for an experiment not made by saltseg, and if MLflow cannot
    be asked.
    """
    check_project(root)
    folder = Layout(root).mlruns
    folder.mkdir(exist_ok=True)
    uri = store_uri(folder)
    with reached_store(folder), store_lock(folder):
        client = open_client(uri, folder)
        place = open_experiment(client, uri, folder)
        show_scores(client, place)
        known = _rows(client, place)
        experiments = list_experiments(root)
        made = []
        for experiment in experiments:
            row = _whole_row(client, experiment, known)
            row = row or _saved_run(client, place, root, experiment)
            if row is None:
                _make_row(client, place, root, experiment)
                made.append(experiment.name)
            elif row.data.tags.get("dvc.experiment") != experiment.name:
                _name_row(client, row, experiment)
    return made, [experiment.name for experiment in experiments]


def _rows(client: MlflowClient, place: str) -> list[Run]:
    """Return the pipeline runs that belong to an experiment."""
    runs = search_runs(client, [place], "tags.`dvc.experiment` != ''")
    return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]


def _whole_row(client: MlflowClient, experiment: Experiment, rows: list[Run]) -> Run | None:
    """Return the experiment's run; delete incomplete ones of a `sync` that was killed.

    Call it under the store's lock, so that no other `sync` is creating them.
    """
    found = [run for run in rows if _stands_for(run, experiment)]
    for run in filter(_is_half_made, found):
        client.delete_run(run.info.run_id)
    return next((run for run in found if not _is_half_made(run)), None)


def _stands_for(run: Run, experiment: Experiment) -> bool:
    """Tell whether a run has the experiment's commit, or its name and is still open."""
    tags = run.data.tags
    same = (tags["dvc.experiment"], tags.get("dvc.baseline"))
    is_open = run.info.status == "RUNNING" and same == (experiment.name, experiment.baseline)
    return is_open or tags.get("dvc.revision") == experiment.revision


def _is_half_made(run: Run) -> bool:
    """Tell whether a run was left incomplete by `sync`, not one that is being recorded."""
    return run.info.status == "RUNNING" and SYNCED in run.data.tags


def _saved_run(client: MlflowClient, place: str, root: Path, experiment: Experiment) -> Run | None:
    """Return the latest run in the workspace that ended in the state of the experiment's commit."""
    wanted = _without_results(files_of_commit(root, experiment.revision))
    patch = commit_patch(root, experiment.baseline, experiment.revision).tags().get("patch")
    query = (
        "attributes.status = 'FINISHED' and"
        f" tags.`mlflow.source.git.commit` = '{experiment.baseline}'"
    )
    for run in search_runs(client, [place], query):
        tags = run.data.tags
        another = "mlflow.parentRunId" in tags or "dvc.experiment" in tags
        if another or tags.get("patch") != patch:
            continue
        if _without_results(read_record(client, run.info.run_id)) == wanted:
            return run
    return None


def _without_results(files: Files) -> Files:
    """Leave out the results, which may be untracked when an experiment is saved."""
    return {name: content for name, content in files.items() if name in NAMES}


def _name_row(client: MlflowClient, row: Run, experiment: Experiment) -> None:
    """Give a run the experiment's name, and a saved one the tags that others start with."""
    client.update_run(row.info.run_id, name=experiment.name)
    tags = {"experiment": experiment.name, "baseline": experiment.baseline}
    for key, value in {**tags, "revision": experiment.revision}.items():
        client.set_tag(row.info.run_id, f"dvc.{key}", value)


def _make_row(client: MlflowClient, place: str, root: Path, experiment: Experiment) -> None:
    """Create the run from the experiment's commit, as a recorder would have left it."""
    files = files_of_commit(root, experiment.revision)
    missing = [name for name in ("params.yaml", "dvc.yaml") if name not in files]
    if missing:
        raise InputError(f"experiment {experiment.name}: its commit has no {missing[0]}; remove it")
    params = _read_params(files["params.yaml"], experiment.name)
    patch = commit_patch(root, experiment.baseline, experiment.revision)
    tags = {
        SYNCED: "true",
        "dvc.experiment": experiment.name,
        "dvc.baseline": experiment.baseline,
        "dvc.revision": experiment.revision,
        "mlflow.source.git.commit": experiment.baseline,
        "git.dirty": str(bool(patch.text)).lower(),
        "seed": str(params["base"]["seed"]),
        "requirements.lock": hashlib.md5(files.get("requirements.lock", b"")).hexdigest(),
        **patch.tags(),
        **origin("saltseg sync"),
        **recipe_tag(root, params),
        **_unknown(files),
    }
    patched = {"changes.patch": patch.text} if patch.text else {}
    metrics = Pipeline(files["dvc.yaml"], params).metrics(results_in(files))
    with whole_run(client, place, experiment.name, tags, experiment.made) as run:
        log_params(client, run, flat_params(params))
        RunMetrics(client, run).final(metrics, experiment.made)
        log_files(client, run, files | patched, RECORD)
        log_crops(client, run, dvc_lock.hashes(dvc_lock.read(files.get("dvc.lock", b"")), "outs"))
        client.set_terminated(run, "FINISHED", experiment.made)


def _unknown(files: Files) -> dict[str, str]:
    """Return the description of a run whose metrics are not all known."""
    lost = uncached_results(files)
    if not lost:
        return {}
    said = (
        f"Metrics are missing: {first_few(lost)} of this experiment are not in DVC's cache. Fetch "
        "them with `dvc exp pull`, delete this run, and run `saltseg sync`."
    )
    return {"mlflow.note.content": said}


def _read_params(content: bytes, name: str) -> dict[str, Any]:
    """Return parameters as a stage sends them (30.0 for 30); those of an older schema unchanged."""
    try:
        params: dict[str, Any] = yaml.safe_load(content)
        _ = params["base"]["seed"]
    except (yaml.YAMLError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"experiment {name}: its params.yaml has no base.seed, so saltseg did not make it;"
            f" remove it with 'dvc exp remove {name}'"
        ) from error
    try:
        return parse_params(params, "params.yaml").model_dump(mode="json")
    except InputError:
        return params
