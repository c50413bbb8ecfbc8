"""The report of the measurement, and the limits that its files keep."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.gpu.plan import SHARES, Outcome
from benchmarks.gpu.settings import Row, read_rows

LARGEST = 15 << 20
"""Bytes of a file at most: under 16 MB."""
TOGETHER = 58 << 20
"""Bytes of all files at most: under 60 MB."""
TITLES = {
    "steps": "Steps of each network",
    "throughput": "Crops a second",
    "compiled": "Compiled",
    "fold": "One fold of `gpu`",
}


def write_report(folder: Path, outcomes: Sequence[Outcome], place: str) -> None:
    """Write results.json and report.md from the rows of all parts, and remove what is too large."""
    removed = keep_limits(folder)
    rows = {part: read_rows(folder / f"{part}.jsonl") for part in SHARES}
    content = {
        "place": place,
        "parts": [asdict(outcome) for outcome in outcomes],
        "rows": rows,
        "removed": removed,
    }
    (folder / "results.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "report.md").write_text("\n".join(page(rows, outcomes, place, removed)) + "\n")


def keep_limits(folder: Path) -> list[str]:
    """Remove files that are too large, then the largest of too many; return what was removed."""
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    together, removed = sum(sizes.values()), []
    for path, size in sorted(sizes.items(), key=lambda each: (-each[1], str(each[0]))):
        if size <= LARGEST and together <= TOGETHER:
            break
        path.unlink()
        together -= size
        removed.append(f"{path.relative_to(folder).as_posix()} ({size:,} bytes)")
    return removed


def page(
    rows: dict[str, list[Row]], outcomes: Sequence[Outcome], place: str, removed: Sequence[str]
) -> list[str]:
    """Return the lines of the report."""
    lines = ["# Networks on a GPU", place, ""]
    for outcome in outcomes:
        lines += [f"## {TITLES[outcome.part]}", f"{outcome.ended}, {outcome.seconds:.0f} s", ""]
        lines += [*table(rows.get(outcome.part, [])), ""]
    if removed:
        lines += [f"Removed, because too large: {', '.join(removed)}."]
    return lines


def table(rows: Sequence[Row]) -> list[str]:
    """Return rows as a Markdown table with a column for every name that one of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return ["Nothing was measured."]
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return lines + [f"| {' | '.join(shown(row.get(name)) for name in names)} |" for row in rows]


def shown(value: object) -> str:
    """Return a value as text of a cell."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e5 else f"{value:.3e}"
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return str(value).replace("|", "/")
