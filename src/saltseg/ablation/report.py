"""An ablation's results, as a Markdown table and as numbers for MLflow."""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from saltseg.ablation.effects import Effect, Interval
from saltseg.ablation.plan import Plan, Request

_HEADS = [
    "variant",
    "PFLOP",
    "mean score, .4 to .6",
    "difference",
    "spread",
    "95 %, trained again",
    "95 %, other crops",
    "searched score",
    "searched difference, 95 %, other crops",
    "training, s",
    "parameters",
]

_NOT_IN_A_NAME = re.compile(r"[^\w\-./ :]+")
"""Characters that MLflow does not allow in a metric's name."""


@dataclass(frozen=True)
class Compared:
    """One of the scores of the base or a variant."""

    score: float
    """Mean over out-of-fold crops and seeds."""
    effect: Effect | None
    """Against the base; None for the base itself."""


@dataclass(frozen=True)
class Row:
    """The base, or one variant."""

    change: str
    """KEY=VALUE; "" for the base."""
    experiments: list[str]
    """Names of DVC's experiments, one per seed."""
    over_thresholds: Compared
    """The score over a fixed range of thresholds, by which variants are compared."""
    searched: Compared
    """The nested score, at searched thresholds and sizes."""
    operations: int
    """Floating-point operations of the training of teachers and members, over all folds."""
    seconds: float | None
    """Training of teachers and members, mean over the seeds; None if unknown."""
    parameters: int
    """Total weights of all members."""


@dataclass(frozen=True)
class Report:
    """The result of an ablation; the base is the first row."""

    plan: Plan
    rows: list[Row]

    @property
    def request(self) -> Request:
        """What the user asked for."""
        return self.plan.request

    def markdown(self) -> str:
        """Return the table and an explanation of its columns."""
        return f"{self.table()}\n\n{self.legend(self._matched())}\n"

    def table(self) -> str:
        """Return the table."""
        lines = [_HEADS, ["---", *["---:"] * (len(_HEADS) - 1)]]
        lines += [self._cells(row) for row in self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

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
        return self.asked() | {"rows": self.row_contents()}

    def asked(self) -> dict[str, Any]:
        """Return the request's part of the content."""
        request = self.request
        return {
            "base": request.base,
            "overrides": list(request.overrides),
            "folds": self.plan.folds,
            "seeds": self.plan.seeds,
            "match": request.match,
        }

    def row_contents(self) -> list[dict[str, Any]]:
        """Return the rows' part of the content."""
        return [
            {
                "variant": row.change or self.request.base,
                "experiments": row.experiments,
                **_numbers(row),
                "epochs": self._epochs(row),
                "pairs": _pairs(row.over_thresholds.effect),
                "searched_pairs": _pairs(row.searched.effect),
            }
            for row in self.rows
        ]

    def params(self) -> dict[str, str]:
        """Return the request, as parameters for MLflow."""
        plan, request = self.plan, self.plan.request
        return {
            "base": request.base,
            "vary": " ".join(request.vary),
            "overrides": " ".join(request.overrides),
            "folds": ",".join(map(str, plan.folds)),
            "seeds": ",".join(map(str, plan.seeds)),
            "match": request.match or "",
        }

    def _epochs(self, row: Row) -> list[str]:
        """Return the overrides of epochs that set a row's cost."""
        return [*next(each.epochs for each in self.plan.trials if each.change == row.change)]

    def _cells(self, row: Row) -> list[str]:
        from saltseg.learning.costs import petaflop  # torch takes seconds

        seconds = "-" if row.seconds is None else f"{row.seconds:,.0f}"
        return [
            self._name(row),
            petaflop(row.operations),
            f"{row.over_thresholds.score:.4f}",
            *_effect(row.over_thresholds.effect),
            f"{row.searched.score:.4f}",
            _searched(row.searched.effect),
            seconds,
            f"{row.parameters:,}",
        ]

    def _name(self, row: Row) -> str:
        return f"`{row.change}`" if row.change else f"{self.request.base}, the base"

    def told_epochs(self) -> str:
        """Return a line of the epochs that set costs; "" if none had to change."""
        told: dict[str, list[str]] = {}
        for row in self.rows:
            epochs = ", ".join(_short(each) for each in self._epochs(row))
            told.setdefault(epochs or "unchanged", []).append(self._name(row))
        listed = "; ".join(f"{epochs} ({', '.join(names)})" for epochs, names in told.items())
        return "" if [*told] == ["unchanged"] else f"Epochs: {listed}."

    def legend(self, apart: str) -> str:
        """Return an explanation of the columns; apart: what else a variant differs in."""
        plan, count = self.plan, self.plan.design.variants
        base = " ".join([plan.request.base, *plan.request.overrides])
        folds, seeds = (", ".join(map(str, each)) for each in (plan.folds, plan.seeds))
        widened = f", widened for {count} variants (Bonferroni)" if count > 1 else ""
        return (
            f"Out-of-fold scores of {base}, folds {folds}, seeds {seeds}. Each variant differs "
            f"from the base in that change{apart}. Mean score: over thresholds .4 to .6, "
            "masks not cleaned; difference: variant minus base on the same crops; spread: its "
            "standard deviation over the pairs of fold and seed. Trained again: corrected t "
            "interval over the pairs; other crops: bootstrap over mosaics, for these trained "
            f"networks; all at 95 %{widened}. Searched score: nested, with thresholds and sizes "
            f"chosen on other crops. PFLOP: for {plan.crops.train:,} training crops and "
            f"{plan.crops.pseudolabels:,} pseudo-labels a fold."
        )

    def _matched(self) -> str:
        if self.plan.request.match is None:
            return " only"
        told = [
            f"`{row.change}` has {', '.join(_short(each) for each in self._epochs(row))}"
            for row in self.rows
            if self._epochs(row)
        ]
        return " and in epochs, which match its cost with the base's: " + "; ".join(
            told or ["none had to change"]
        )


def _short(override: str) -> str:
    """Shorten SECTION.phases.1.schedule.cosine.epochs=5 to SECTION.phases.1: 5."""
    path, _, epochs = override.partition("=")
    return f"{path.partition('.schedule.')[0]}: {epochs}"


def _pairs(effect: Effect | None) -> list[dict[Hashable, Any]]:
    return effect.pairs.to_dict("records") if effect else []


def _numbers(row: Row) -> dict[str, float | None]:
    """Return a row's numbers; those of the searched score begin with its name."""
    over_thresholds, searched = row.over_thresholds, row.searched
    return {
        "score_over_thresholds": over_thresholds.score,
        **_compared(over_thresholds.effect, ""),
        "searched_score": searched.score,
        **_compared(searched.effect, "searched_"),
        "training_petaflop": row.operations / 1e15,
        "training_seconds": row.seconds,
        "parameters": row.parameters,
    }


def _compared(effect: Effect | None, start: str) -> dict[str, float | None]:
    if effect is None:
        return {}
    low, high = effect.over_pairs or (None, None)
    return {
        f"{start}difference": effect.difference,
        f"{start}spread": effect.spread,
        f"{start}low": low,
        f"{start}high": high,
        f"{start}mosaics_low": effect.over_mosaics[0],
        f"{start}mosaics_high": effect.over_mosaics[1],
    }


def _effect(effect: Effect | None) -> list[str]:
    """Return the cells of a comparison; "-" for what a single pair does not give."""
    if effect is None:
        return ["", "", "", ""]
    spread = "-" if effect.spread is None else f"{effect.spread:.4f}"
    intervals = [_interval(each) for each in (effect.over_pairs, effect.over_mosaics)]
    return [f"{effect.difference:+.4f}", spread, *intervals]


def _searched(effect: Effect | None) -> str:
    return f"{effect.difference:+.4f}, {_interval(effect.over_mosaics)}" if effect else ""


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval[0]:+.4f} to {interval[1]:+.4f}"
