"""A summary of the last pipeline run: what ran, how good it is, how long it took, what is next."""

from dataclasses import dataclass

from saltseg.config.params import Params, load_params, parse_params
from saltseg.config.recipe_names import nearest_recipe
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.progress import duration
from saltseg.project import dvc_lock
from saltseg.reports.summary import summary
from saltseg.tracking import wait_for_recorders
from saltseg.tracking.address import has_store

_RECENT = 20
"""Runs among which the last one's record is looked for."""


@dataclass(frozen=True)
class _Recorded:
    """The run in MLflow: its id, its seconds, its model's version, whether that is the champion."""

    run: str
    seconds: float
    version: str | None
    champion: bool


def run_summary(layout: Layout) -> str:
    """Return recipe, seed, score, time, model and files of the last run, and the next command.

    Raises InputError before the first run. What MLflow does not know, or cannot be asked, is left
    out or said to be unknown.
    """
    lines = summary(layout)
    params = _last_params(layout)
    recipe = nearest_recipe(layout, params.model_dump(mode="json"))
    try:
        recorded, unknown = _recorded(layout), "not recorded in MLflow"
    except InputError as error:
        recorded, unknown = None, f"unknown: {error}"
    head = [
        f"recipe              {recipe or 'of none in conf/recipe'}",
        f"seed                {params.base.seed}",
    ]
    if recorded is None:
        return "\n".join([*head, lines, f"run                 {unknown}"])
    end = [
        f"run                 {recorded.run[:12]} in MLflow, {duration(recorded.seconds)}",
        f"model               {_model(recorded)}",
        f"next                {_next(recorded, params.ingest.source == 'tgs')}",
    ]
    return "\n".join([*head, lines, *end])


def _last_params(layout: Layout) -> Params:
    """Return the parameters of the last run: those in params.yaml may have changed since."""
    params = load_params(layout.params)
    submit = dvc_lock.read_checkout(layout.root).get("submit", {})
    tracked = submit.get("params", {}).get(layout.params.name, {})
    sections = {name: value for name, value in tracked.items() if "." not in name}
    return parse_params({**params.model_dump(mode="json"), **sections}, "dvc.lock")


def _model(recorded: _Recorded) -> str:
    if recorded.version is None:
        return "none is registered for this run"
    champion = "the champion" if recorded.champion else "not the champion"
    return f"version {recorded.version} of saltseg in MLflow's registry, {champion}"


def _next(recorded: _Recorded, kaggle: bool) -> str:
    if recorded.version and not recorded.champion:
        return f"saltseg promote {recorded.run[:12]}, to predict with this model"
    if kaggle:
        return "saltseg upload --message WORDS"
    if recorded.champion:
        return "saltseg predict IMAGE... --out FOLDER"
    return f"saltseg report {recorded.run[:12]}, with times and environment"


def _recorded(layout: Layout) -> _Recorded | None:
    """Return the latest recorded run that ended with the checkout's dvc.lock."""
    lock = layout.root / "dvc.lock"
    if not (has_store(layout.mlruns) and lock.exists()):
        return None
    from saltseg.tracking.archive import Archive  # imports MLflow, which takes seconds
    from saltseg.tracking.registry import champion, version_of
    from saltseg.tracking.store import reached_store

    with reached_store(layout.mlruns):
        wait_for_recorders(layout.mlruns)  # a recorder ends the run before it registers the model
        archive = Archive(layout.mlruns)
        found = archive.with_file("dvc.lock", lock.read_bytes(), _RECENT)
        if found is None:
            return None
        version, leading = version_of(archive.client, found.run_id), champion(archive.client)
    leads = version is not None and leading is not None and leading.number == version.number
    return _Recorded(found.run_id, found.seconds, version.number if version else None, leads)
