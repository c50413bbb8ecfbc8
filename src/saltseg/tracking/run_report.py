"""The report of a recorded run: that of its submit stage, with what only the record knows.

In the project the report is an output with a hash, the same for equal runs. The run's own copy in
MLflow also has its name, its environment, and how long its stages took.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saltseg.plumbing.flat import flat_params
from saltseg.reports.page import Facts
from saltseg.reports.run_report import read_report, report_page

REPORT = "Report/report.html"
"""Path of the artifact. MLflow's page lists folders first, by the codes of their letters, so that a
capital comes first of all."""


def read_facts(path: Path) -> Facts | None:
    """Return the facts of the report at `path`; None if there is none."""
    if not path.is_file():
        return None
    found = read_report(path.read_text(encoding="utf-8"))
    return found[0] if len(found) == 1 else None


def complete_facts(
    facts: Facts, name: str, environment: Mapping[str, Any], seconds: Mapping[str, float]
) -> Facts:
    """Add to a run's facts its name, its environment, and the seconds of the stages that ran."""
    return {
        **facts,
        "name": name,
        "environment": flat_params(dict(environment)),
        "seconds": dict(seconds),
    }


def recorded_page(facts: Facts) -> bytes:
    """Return the content of the artifact."""
    return report_page([facts]).encode()
