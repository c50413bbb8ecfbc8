"""Promoting a run's model to champion, the version in use, if the run verifies."""

from pathlib import Path

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.layout import Layout
from saltseg.project.code_state import SYNCED
from saltseg.project.registered_model import CHAMPION
from saltseg.reports.summary import describe_score
from saltseg.reproduction.records import RunRecord, find_record
from saltseg.reproduction.revisions import find_experiments
from saltseg.reproduction.verification import verify
from saltseg.tracking import wait_for_recorders
from saltseg.tracking.experiments import sync_experiments
from saltseg.tracking.registry import Version, champion, make_champion, open_registry, version_of
from saltseg.tracking.store import reached_store

_SCORE_TAGS = (
    ("score", "score_low", "score_high"),
    ("out_of_fold_score", "out_of_fold_low", "out_of_fold_high"),  # versions before 0.2
)
"""Tags with a version's score and its interval."""


def promote(reference: str, root: Path) -> str:
    """Make the model of a run the champion; return a report on that, and how to go back.

    reference, root: as for records.find_record. Raises InputError if there is no such run, it has
    no registered model, something it recorded is missing or changed, or MLflow cannot be asked.
    """
    record, run = _recorded(reference, root)
    folder = Layout(root).mlruns
    with reached_store(folder):
        client = open_registry(root)
        version = version_of(client, run)
        if version is None and SYNCED not in (record.tags or {}):
            # A recorder ends the run before it registers the model.
            wait_for_recorders(folder)
            version = version_of(client, run)
    if version is None:
        raise InputError(_without_model(record))
    findings = verify(record, root)
    if findings:
        raise InputError(
            f"{record.name}: was not promoted: it does not verify: {first_few(findings, 2)};"
            f" see 'saltseg verify {reference}'"
        )
    with reached_store(folder):
        before = champion(client)
        make_champion(client, version)
    return _report(version, before)


def _recorded(reference: str, root: Path) -> tuple[RunRecord, str]:
    """Return record and id of a run in MLflow, also of one that `dvc exp save` named later."""
    record = find_record(reference, root)
    if record.run_id is None and find_experiments(root, reference):
        sync_experiments(root)  # gives the run that made a saved experiment its name
        record = find_record(reference, root)
    if record.run_id is None:
        raise InputError(f"{record.name}: is not a run in MLflow; give one that 'make ui' lists")
    return record, record.run_id


def _report(version: Version, before: Version | None) -> str:
    used = f"saltseg predict and weights use it from now on, and {CHAMPION}"
    lines = [f"champion  {described(version)}"]
    if before is None:
        return "\n".join([*lines, "before    none", f"          {used}"])
    if before.number == version.number:
        return "\n".join([*lines, "before    the same: nothing changed"])
    back = f"saltseg promote {before.run[:12]} brings the one before back"
    return "\n".join(
        [*lines, f"before    {described(before)}", f"          {used};", f"          {back}"]
    )


def _without_model(record: RunRecord) -> str:
    if SYNCED in (record.tags or {}):
        return (
            f"{record.name}: was created by 'saltseg sync' and has no model in MLflow;"
            " promote the run that trained it, by the id that 'make ui' shows"
        )
    if record.params.get("snapshot_ensemble", {}).get("outside"):
        return (
            f"{record.name}: has no model, because members from outside"
            " (snapshot_ensemble.outside) predict no new crops; promote a run without them"
        )
    return (
        f"{record.name}: has no model in MLflow, because its submit stage did not run; run"
        " 'dvc repro --force --single-item submit' and promote that run"
    )


def described(version: Version) -> str:
    """Describe a version: its run and its score, under its present or its older tag."""
    tags = version.tags
    text = f"version {version.number} of run {version.run[:12]}"
    for names in _SCORE_TAGS:
        if names[0] in tags:
            return f"{text}, score {describe_score(*(float(tags[name]) for name in names))}"
    return text
