"""Ablations: the effect of single changes on the score, paired with a base.

`plan` decides what to run, `matching` gives variants the base's cost, `trials` runs them with DVC,
`effects` and `comparison` compare, `halving` trains only the better half for longer, `report` makes
the table.
"""

from pathlib import Path

from saltseg.ablation.comparison import compare
from saltseg.ablation.halving import HalvingReport, halve
from saltseg.ablation.plan import Request, make_plan
from saltseg.ablation.report import Report
from saltseg.ablation.trials import RunTrials, run_in_turn

__all__ = ["HalvingReport", "Report", "Request", "ablate", "log_report"]


def ablate(
    root: Path, request: Request, run_trials: RunTrials = run_in_turn
) -> Report | HalvingReport:
    """Run the missing trials of an ablation, and compare all.

    root: the project. Every trial is a DVC experiment; existing ones are not run again.
    run_trials: runs the others; here, one by one, unless it says otherwise.
    Raises InputError for an invalid request, before anything runs, and if a trial fails.
    """
    plan = make_plan(root, request)
    return (halve if request.halving else compare)(root, plan, run_trials)


def log_report(root: Path, report: Report | HalvingReport) -> None:
    """Log an ablation to MLflow; see tracking.ablations.log_ablation."""
    from saltseg.tracking.ablations import AblationRecord, log_ablation

    name = f"ablate {report.request.base}"
    numbers = report.content(), report.params(), report.metrics()
    log_ablation(root, AblationRecord(name, report.markdown(), *numbers))
