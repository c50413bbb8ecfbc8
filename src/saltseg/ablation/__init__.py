"""Ablations: the effect of single changes on the score, paired with a base.

`plan` decides what to run, `matching` gives variants the base's cost, `trials` runs them with DVC,
`effects` compares, `report` makes the table.
"""

from collections.abc import Iterator
from pathlib import Path

from saltseg.ablation.effects import paired_effect
from saltseg.ablation.plan import Plan, Request, make_plan
from saltseg.ablation.report import Compared, Report, Row
from saltseg.ablation.trials import Outcome, RunTrials, find_outcome, finished, run_in_turn
from saltseg.plumbing.layout import Layout
from saltseg.tracking import wait_for_recorders

__all__ = ["Report", "Request", "ablate", "log_report"]

_COLUMNS = {"over_thresholds": "over_thresholds", "searched": "after"}
"""The scores that variants are compared by, and their columns in out_of_fold_scores.parquet."""

_PATIENCE = 600.0
"""Seconds to wait for the last trial's record in MLflow: generous, after hours of training."""


def ablate(root: Path, request: Request, run_trials: RunTrials = run_in_turn) -> Report:
    """Run the missing trials of an ablation, and compare all.

    root: the project. Every trial is a DVC experiment; existing ones are not run again.
    run_trials: runs the others; here, one by one, unless it says otherwise.
    Raises InputError for an invalid request, before anything runs, and if a trial fails.
    """
    plan = make_plan(root, request)
    known = {trial.name: find_outcome(root, trial) for trial in plan.trials}
    run_trials(root, plan, [trial for trial in plan.trials if known[trial.name] is None])
    outcomes = [known[trial.name] or finished(root, trial) for trial in plan.trials]
    wait_for_recorders(Layout(root).mlruns, _PATIENCE)
    return Report(plan, list(_rows(root, plan, outcomes)))


def log_report(root: Path, report: Report) -> None:
    """Log an ablation to MLflow; see tracking.ablations.log_ablation."""
    from saltseg.tracking.ablations import AblationRecord, log_ablation

    name = f"ablate {report.plan.request.base}"
    numbers = report.content(), report.params(), report.metrics()
    log_ablation(root, AblationRecord(name, report.markdown(), *numbers))


def _rows(root: Path, plan: Plan, outcomes: list[Outcome]) -> Iterator[Row]:
    """Compare the trials of each change with those of the base, which come first, seed by seed."""
    from saltseg.ablation.costs import Costs

    costs = Costs(root, plan.crops)
    base = {each.trial.seed: each.scores for each in outcomes if not each.trial.change}
    for change in ["", *plan.changes]:
        own = [each for each in outcomes if each.trial.change == change]
        scores = {each.trial.seed: each.scores for each in own}
        networks = costs.networks(own[0].trial.params)
        compared = {
            kind: Compared(
                sum(float(each[column].mean()) for each in scores.values()) / len(scores),
                paired_effect(base, scores, plan.design, column) if change else None,
            )
            for kind, column in _COLUMNS.items()
        }
        yield Row(
            change=change,
            experiments=[each.experiment.name for each in own],
            **compared,
            operations=sum(cost.training for cost in networks),
            seconds=costs.seconds(own),
            parameters=sum(cost.parameters for cost in networks if cost.role == "member"),
        )
