"""An ablation's results, as a Markdown table and as numbers for MLflow."""

import re
from dataclasses import dataclass
from typing import Any

from saltseg.ablation.effects import Effect, Interval
from saltseg.ablation.plan import Plan

_HEADS = [
    "variant",
    "score",
    "difference",
    "spread",
    "95 %, retrained",
    "95 %, other crops",
    "training, s",
    "parameters",
]

_NOT_IN_A_NAME = re.compile(r"[^\w\-./ :]+")
"""Characters that MLflow does not allow in a metric's name."""


@dataclass(frozen=True)
class Row:
    """The base, or one variant."""

    change: str
    """KEY=VALUE; "" for the base."""
    experiments: list[str]
    """Names of DVC's experiments, one per seed."""
    score: float
    """Nested out-of-fold score, mean over the seeds."""
    effect: Effect | None
    """Against the base; None for the base itself."""
    seconds: float | None
    """Training of teachers and members, mean over the seeds; None if unknown."""
    parameters: int
    """Total weights of all members."""


@dataclass(frozen=True)
class Report:
    """The result of an ablation; the base is the first row."""

    plan: Plan
    rows: list[Row]

    def markdown(self) -> str:
        """Return the table and an explanation of its columns."""
        lines = [_HEADS, ["---", *["---:"] * (len(_HEADS) - 1)]]
        lines += [self._cells(row) for row in self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"{table}\n\n{self._legend()}\n"

    def metrics(self) -> dict[str, float]:
        """Return the numbers as VARIANT.NAME."""
        found: dict[str, float | None] = {}
        for row in self.rows:
            start = _NOT_IN_A_NAME.sub("_", row.change) or "base"
            values = _numbers(row)
            found |= {f"{start}.{name}": value for name, value in values.items()}
        return {name: value for name, value in found.items() if value is not None}

    def content(self) -> dict[str, Any]:
        """Return everything, with the difference of each pair, for JSON."""
        request = self.plan.request
        return {
            "base": request.base,
            "overrides": list(request.overrides),
            "folds": self.plan.folds,
            "seeds": self.plan.seeds,
            "rows": [
                {
                    "variant": row.change or request.base,
                    "experiments": row.experiments,
                    **_numbers(row),
                    "pairs": row.effect.pairs.to_dict("records") if row.effect else [],
                }
                for row in self.rows
            ],
        }

    def params(self) -> dict[str, str]:
        """Return the request, as parameters for MLflow."""
        plan, request = self.plan, self.plan.request
        return {
            "base": request.base,
            "vary": " ".join(request.vary),
            "overrides": " ".join(request.overrides),
            "folds": ",".join(map(str, plan.folds)),
            "seeds": ",".join(map(str, plan.seeds)),
        }

    def _cells(self, row: Row) -> list[str]:
        name = f"`{row.change}`" if row.change else f"{self.plan.request.base}, the base"
        seconds = "-" if row.seconds is None else f"{row.seconds:,.0f}"
        return [name, f"{row.score:.4f}", *_effect(row.effect), seconds, f"{row.parameters:,}"]

    def _legend(self) -> str:
        plan = self.plan
        base = " ".join([plan.request.base, *plan.request.overrides])
        folds, seeds = (", ".join(map(str, each)) for each in (plan.folds, plan.seeds))
        return (
            f"Nested out-of-fold score of {base}, folds {folds}, seeds {seeds}. Each variant "
            "differs from the base in that change only. Difference: variant minus base on the same "
            "crops; spread: its standard deviation over the pairs of fold and seed. Retrained: "
            "corrected t interval over the pairs; other crops: bootstrap over mosaics, for these "
            "trained networks."
        )


def _numbers(row: Row) -> dict[str, float | None]:
    effect = row.effect
    compared: dict[str, float | None] = {}
    if effect:
        low, high = effect.over_pairs or (None, None)
        compared = {
            "difference": effect.difference,
            "spread": effect.spread,
            "low": low,
            "high": high,
            "mosaics_low": effect.over_mosaics[0],
            "mosaics_high": effect.over_mosaics[1],
        }
    cost = {"training_seconds": row.seconds, "parameters": row.parameters}
    return {"score": row.score, **compared, **cost}


def _effect(effect: Effect | None) -> list[str]:
    """Return the cells of a comparison; "-" for what a single pair does not give."""
    if effect is None:
        return ["", "", "", ""]
    spread = "-" if effect.spread is None else f"{effect.spread:.4f}"
    intervals = [_interval(each) for each in (effect.over_pairs, effect.over_mosaics)]
    return [f"{effect.difference:+.4f}", spread, *intervals]


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval[0]:+.4f} to {interval[1]:+.4f}"
