"""Successive halving: all variants at few epochs, the better half at twice as many, and so on.

Karnin et al. 2013, "Almost optimal exploration in multi-armed bandits"; Jamieson and Talwalkar
2016, "Non-stochastic best arm identification and hyperparameter optimization". The schedulers of
Ray Tune and the pruners of Optuna stop running trainings by the scores they report on the way. Here
a rung trains to its end at its own number of epochs: the score of a training whose learning rate
has yet to fall says little, and only a finished one is a DVC experiment, which a resumed command
finds.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from saltseg.ablation.comparison import compare
from saltseg.ablation.plan import Plan, Request, Trial
from saltseg.ablation.report import Report
from saltseg.ablation.trials import RunTrials
from saltseg.plumbing.errors import InputError


@dataclass(frozen=True)
class Rung:
    """A step of the halving, planned for all variants before anything is known of them."""

    share: Fraction
    """Of the full cost of training."""
    size: int
    """Number of variants to train."""
    trials: list[Trial]
    """Of the base and all variants, under the first seed."""


@dataclass(frozen=True)
class HalvingReport:
    """The results of all rungs, the cheapest first."""

    rungs: list[Report]

    @property
    def request(self) -> Request:
        """What the user asked for."""
        return self.rungs[0].request

    def markdown(self) -> str:
        """Return a table for each rung, and an explanation of their columns."""
        parts = []
        for number, rung in enumerate(self.rungs, start=1):
            left = f"{variants(len(rung.plan.changes))} {told_share(rung.plan.share)}"
            parts += [
                f"**Rung {number} of {len(self.rungs)}: {left}**",
                rung.table(),
                rung.told_epochs(),
            ]
        parts += [self._legend(), self.rungs[0].legend(self._apart())]
        return "\n\n".join(filter(None, parts)) + "\n"

    def metrics(self) -> dict[str, float]:
        """Return the numbers as rungNUMBER.VARIANT.NAME."""
        return {
            f"rung{number}.{name}": value
            for number, rung in enumerate(self.rungs, start=1)
            for name, value in rung.metrics().items()
        }

    def content(self) -> dict[str, Any]:
        """Return everything, with the difference of each pair, for JSON."""
        rungs = [
            {"share": float(rung.plan.share), "rows": rung.row_contents()} for rung in self.rungs
        ]
        return self.rungs[0].asked() | {"rungs": rungs}

    def params(self) -> dict[str, str]:
        """Return the request and the rungs, as parameters for MLflow."""
        rungs = [f"{len(rung.plan.changes)} at {rung.plan.share}" for rung in self.rungs]
        return self.rungs[0].params() | {"halving": ", ".join(rungs)}

    def _apart(self) -> str:
        if self.request.match is None:
            return " only; both train at the same share of their epochs"
        return " and in epochs, which match its cost with that of the base in the same rung"

    def _legend(self) -> str:
        return (
            "Successive halving (Jamieson and Talwalkar 2016): after each rung, the variants with "
            "the best mean scores went on to the next. The survivors were chosen by these scores, "
            "so part of their lead in the rungs that chose them is luck. Each difference is from "
            "the base of the same rung, and the intervals of every rung are widened for all "
            f"{len(self.rungs[0].plan.changes)} variants that were tried, not only for those left."
        )


def halve(root: Path, plan: Plan, run_trials: RunTrials) -> HalvingReport:
    """Run the missing trials of each rung, and compare those of a rung with its base.

    plan: of the trainings in full. What it will take goes to standard error.
    Raises InputError if the epochs allow no rung but the last, and if a trial fails.
    """
    rungs = plan_rungs(plan)
    _say(told_costs(plan, rungs))
    reports: list[Report] = []
    for number, rung in enumerate(rungs, start=1):
        left = best_changes(reports[-1], rung.size) if reports else plan.changes
        _say(f"rung {number} of {len(rungs)}, {told_share(rung.share)}: {', '.join(left)}")
        first = [trial for trial in rung.trials if trial.change in ("", *left)]
        reports.append(compare(root, plan.rung(rung.share, first), run_trials))
    return HalvingReport(reports)


def plan_rungs(plan: Plan) -> list[Rung]:
    """Return the rungs, the cheapest first; each cost twice as high has half the variants left.

    A share of the cost that the base or a variant cannot have in whole epochs has no rung, and
    standard error says so; all variants are in the first one that is left.
    Raises InputError if only the last is.
    """
    count = len(plan.changes)
    if count < 2:
        raise InputError(
            f"--halving: {plan.changes[0]} alone leaves nothing to choose; give more values to "
            "--vary, or leave --halving out"
        )
    rungs: list[Rung] = []
    reasons: list[str] = []
    for share in (Fraction(1, 2**halvings) for halvings in range((count - 1).bit_length(), 0, -1)):
        try:
            trials = plan.composer.scaled(plan.first, share)
        except InputError as error:
            reasons.append(f"halving: no rung {told_share(share)}: {error}")
            continue
        rungs.append(Rung(share, _left(count, share, rungs), trials))
    if not rungs:
        raise InputError(f"--{reasons[-1]}, or leave --halving out")
    for reason in reasons:
        _say(reason)
    return [*rungs, Rung(Fraction(1), _left(count, Fraction(1), rungs), plan.first)]


def _left(count: int, share: Fraction, before: Sequence[Rung]) -> int:
    """Return how many variants are left where the cost has doubled since the first rung."""
    first = before[0].share if before else share
    return -int(-count * first // share)


def best_changes(report: Report, count: int) -> list[str]:
    """Return the changes with the best mean scores over thresholds, in the order of the plan.

    Of equal ones, the first.
    """
    score = {row.change: row.over_thresholds.score for row in report.rows if row.change}
    best = sorted(score, key=score.__getitem__, reverse=True)[:count]
    return [change for change in report.plan.changes if change in best]


def told_costs(plan: Plan, rungs: Sequence[Rung]) -> str:
    """Return a line of what the rungs take, and what all trainings in full would take.

    Which variants will be left is not known yet, so they count as the most expensive ones.
    """
    from saltseg.learning.costs import petaflop  # torch takes seconds

    seeds = len(plan.seeds)
    trials = seeds * sum(1 + rung.size for rung in rungs)
    most = seeds * sum(_most(plan, rung) for rung in rungs)
    full = seeds * _most(plan, Rung(Fraction(1), len(plan.changes), plan.first))
    *shorter, last = rungs
    told = ", ".join(f"{rung.size} at {rung.share}" for rung in shorter)
    return (
        f"halving: of {len(plan.changes)} variants, {told} and {last.size} at all of the epochs, "
        f"each time with the base: {trials} trainings, {petaflop(most)} PFLOP at most; all in full "
        f"would be {len(plan.trials)} trainings, {petaflop(full)} PFLOP"
    )


def _most(plan: Plan, rung: Rung) -> int:
    """Return the operations of a rung under one seed, with its most expensive variants."""
    base, *others = (plan.composer.cost(trial) for trial in rung.trials)
    return base + sum(sorted(others)[-rung.size :])


def told_share(share: Fraction) -> str:
    """Return a share of the epochs in words."""
    return "in full" if share == 1 else f"at {share} of the epochs"


def variants(count: int) -> str:
    """Return a number of variants in words."""
    return "1 variant" if count == 1 else f"{count} variants"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
