"""The common format of error messages about raw data: where, what, how many, which, advice."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from saltseg.plumbing.errors import InputError, first_few


def refuse_any(
    place: Path, problem: str, offenders: Sequence[object], total: int, advice: str
) -> None:
    """Raise InputError if there are offenders: "PLACE: PROBLEM, 2 of 4,000: a, b; ADVICE"."""
    if offenders:
        share = f"{len(offenders):,} of {total:,}"
        raise InputError(f"{place}: {problem}, {share}: {first_few(offenders)}; {advice}")


def repeated(items: Iterable[str]) -> list[str]:
    """Return the items that occur more than once, sorted."""
    seen: set[str] = set()
    again: set[str] = set()
    for item in items:
        (again if item in seen else seen).add(item)
    return sorted(again)
