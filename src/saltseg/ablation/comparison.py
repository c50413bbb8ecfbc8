"""What a plan's trials say: the missing ones run, and each change compared with the base."""

from collections.abc import Iterator
from pathlib import Path

from saltseg.ablation.effects import paired_effect
from saltseg.ablation.plan import Plan
from saltseg.ablation.report import Compared, Report, Row
from saltseg.ablation.trials import Outcome, RunTrials, find_outcome, finished
from saltseg.plumbing.layout import Layout
from saltseg.tracking import wait_for_recorders

_COLUMNS = {"over_thresholds": "over_thresholds", "searched": "after"}
"""The scores that variants are compared by, and their columns in out_of_fold_scores.parquet."""

_PATIENCE = 600.0
"""Seconds to wait for the last trial's record in MLflow: generous, after hours of training."""


def compare(root: Path, plan: Plan, run_trials: RunTrials) -> Report:
    """Run the missing trials of a plan, and compare all. Raises InputError if a trial fails."""
    known = {trial.name: find_outcome(root, trial) for trial in plan.trials}
    # At few epochs, two variants may be the same training: it runs once.
    missing = {trial.digest: trial for trial in plan.trials if known[trial.name] is None}
    run_trials(root, plan, [*missing.values()])
    outcomes = [known[trial.name] or finished(root, trial) for trial in plan.trials]
    wait_for_recorders(Layout(root).mlruns, _PATIENCE)
    return Report(plan, list(_rows(root, plan, outcomes)))


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
