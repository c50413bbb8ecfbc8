"""Ablations: what single changes do to the nested score, in pairs with their base.

`plan` says what runs, `trials` has DVC run it, `effects` compares, `report` writes it down.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from saltseg.ablation.effects import paired_effect
from saltseg.ablation.plan import Plan, Request, make_plan
from saltseg.ablation.report import Report, Row
from saltseg.ablation.trials import Outcome, run_trial
from saltseg.plumbing.layout import Layout
from saltseg.tracking import wait_for_recorders

__all__ = ["Report", "Request", "ablate", "log_report"]

_PATIENCE = 600.0
"""Seconds that MLflow's record of the last trial may take: hours of work went before it."""


def ablate(root: Path, request: Request) -> Report:
    """Run what is not there yet of an ablation, and compare it.

    root: the project. Every trial is a DVC experiment; those that exist are not run again.
    Raises InputError for what cannot be, before anything runs, and where a trial fails.
    """
    plan = make_plan(root, request)
    outcomes = _run(root, plan)
    wait_for_recorders(Layout(root).mlruns, _PATIENCE)
    return Report(plan, list(_rows(root, plan, outcomes)))


def log_report(root: Path, report: Report) -> None:
    """Log an ablation to MLflow, as tracking.ablations.log_ablation says."""
    from saltseg.tracking.ablations import AblationRecord, log_ablation

    name = f"ablate {report.plan.request.base}"
    numbers = report.content(), report.params(), report.metrics()
    log_ablation(root, AblationRecord(name, report.markdown(), *numbers))


def _run(root: Path, plan: Plan) -> list[Outcome]:
    """Run the trials one after the other, and say on standard error which is at work."""
    outcomes = []
    for number, trial in enumerate(plan.trials, start=1):
        place = f"[{number}/{len(plan.trials)}] {trial.label}, seed {trial.seed}"
        print(f"{place}: {trial.name}", file=sys.stderr, flush=True)
        outcomes.append(run_trial(root, plan, trial))
    return outcomes


def _rows(root: Path, plan: Plan, outcomes: list[Outcome]) -> Iterator[Row]:
    """Compare each change's trials with the base's, which come first, on the same seeds."""
    from saltseg.ablation.costs import Costs

    costs = Costs(root)
    base = {each.trial.seed: each.scores for each in outcomes if not each.trial.change}
    for change in ["", *plan.changes]:
        own = [each for each in outcomes if each.trial.change == change]
        scores = {each.trial.seed: each.scores for each in own}
        yield Row(
            change=change,
            experiments=[each.experiment.name for each in own],
            score=sum(float(each["after"].mean()) for each in scores.values()) / len(scores),
            effect=paired_effect(base, scores, plan.design) if change else None,
            seconds=costs.seconds(own),
            parameters=costs.parameters(own[0].trial.params),
        )
