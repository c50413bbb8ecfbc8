"""Measuring methods for the same work in turn, and table rows of the results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

Work = Callable[[], object]
Times = Sequence[float]
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """A row of the table, as text."""

    work: str
    beside: str
    """The method saltseg is compared with; empty for a figure without comparison."""
    ours: str
    theirs: str
    ratio: str
    target: str
    reached: bool | None
    """None without a target."""


def in_turn(works: Mapping[str, Work], repeats: int) -> dict[str, Times]:
    """Return the seconds of each work per round; they take turns in each round."""
    for work in works.values():  # the first call warms up
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            times[name].append(seconds(work))
    return dict(times)


def seconds(work: Work) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def compare(
    work: str,
    ours: Work,
    others: Mapping[str, Work],
    targets: Mapping[str, float],
    repeats: int = 5,
) -> list[Row]:
    """Measure `ours` in turn with all `others`; return a row for each of them.

    targets: how many times as fast as one of the others is to be reached.
    """
    times = in_turn({"": ours, **others}, repeats)
    return [ratio_row(work, name, times[""], times[name], targets.get(name)) for name in others]


def ratio_row(work: str, beside: str, ours: Times, theirs: Times, target: float | None) -> Row:
    """Format how many times as long the others took: median over rounds, minimum and maximum."""
    ratios = sorted(their / our for our, their in zip(ours, theirs, strict=True))
    middle = median(ratios)
    return Row(
        work,
        beside,
        duration(median(ours)),
        duration(median(theirs)),
        f"{times_over(middle)} ({times_over(ratios[0])} to {times_over(ratios[-1])})",
        "" if target is None else f"{target:g}x",
        None if target is None else middle >= target,
    )


def limit_row(work: str, value: float, limit: float, show: Callable[[float], str]) -> Row:
    """Return a row that tells whether a figure is below its limit."""
    return Row(work, "", show(value), "", "", f"under {show(limit)}", value < limit)


def fact_row(work: str, value: str) -> Row:
    """Return a row with a figure that has no target."""
    return Row(work, "", value, "", "", "", None)


def duration(value: float) -> str:
    return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.2f} s"


def times_over(ratio: float) -> str:
    return f"{ratio:.0f}x" if ratio >= 20 else f"{ratio:.1f}x"


def megabytes(value: float) -> str:
    return f"{value:,.0f} MB"
