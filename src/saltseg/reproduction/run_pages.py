"""The page on recorded runs, several of them side by side."""

from collections.abc import Sequence
from pathlib import Path

from saltseg.plumbing.flat import flat_params
from saltseg.plumbing.layout import Layout
from saltseg.reports.page import Facts
from saltseg.reports.run_facts import recorded_facts
from saltseg.reports.run_report import report_page
from saltseg.reproduction.records import RunRecord, find_record


def runs_page(references: Sequence[str], root: Path) -> str:
    """Return the page on the runs that `references` name, in their order.

    A run that ended before its report was written, and an experiment that is not in MLflow, are
    shown with what is known of them: metrics, parameters and, in MLflow, the environment.
    references, root: as for records.find_record, which raises InputError.
    """
    records = [find_record(each, root) for each in references]
    return report_page([{**_facts(each, root), "name": each.name} for each in records])


def _facts(record: RunRecord, root: Path) -> Facts:
    if record.run_id:
        from saltseg.tracking.archive import Archive  # imports MLflow, which takes seconds
        from saltseg.tracking.store import reached_store

        folder = Layout(root).mlruns
        with reached_store(folder):
            reported = Archive(folder).facts(record.run_id)
        if reported:
            return reported
    known = recorded_facts(record.results, record.params)
    environment = flat_params(record.environment) if record.environment else None
    return known | ({"environment": environment} if environment else {})
