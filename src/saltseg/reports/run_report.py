"""The report of one run, or of several side by side: one page that needs no other file.

It shows scores with intervals, training histories, threshold and reliability curves, errors by
kind, crops to leaf through, parameters, hashes, environment and times, as far as they are known.
"""

from collections.abc import Sequence
from pathlib import Path

from saltseg.config.params import Params
from saltseg.plumbing.files import write_text
from saltseg.plumbing.layout import Layout
from saltseg.reports.page import Facts, css, fill_template, paint_facts, read_data
from saltseg.reports.palette import FALSE, HIT, INK, MISSED, SERIES
from saltseg.reports.run_facts import checkout_facts

TEMPLATE = Path(__file__).with_suffix(".html")


def write_report(layout: Layout, params: Params) -> None:
    """Write the report of the run in a checkout; see run_facts.checkout_facts."""
    write_text(layout.report, report_page([checkout_facts(layout, params)]))


def report_page(runs: Sequence[Facts]) -> str:
    """Return the page of some runs' facts, in their order.

    Each may have `name`, `environment` and `seconds` besides what run_facts gathers.
    """
    data = {
        "runs": list(runs),
        "series": [css(colour) for colour in SERIES],
        "ink": css(INK),
        "paints": [paint_facts(paint) for paint in (HIT, MISSED, FALSE)],
    }
    names = [str(run["name"]) for run in runs if run.get("name")]
    return fill_template(TEMPLATE, " and ".join(names) or "A run of saltseg", data)


def read_report(page: str) -> list[Facts]:
    """Return the facts that a page shows; [] if it is not a report."""
    runs = (read_data(page) or {}).get("runs")
    return [run for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
