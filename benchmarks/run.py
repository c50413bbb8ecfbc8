"""Compare the speed of saltseg with alternatives, and write docs/results/benchmarks.md.

    python -m benchmarks.run [PART...] [--small] [--out FILE]

Without PART all are measured, each in its own process. --small: less of a part that can do with
less. Parts that are left out keep their figures
in docs/results/benchmarks; a part that fails has none, and the exit code is 1.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import psutil
import torch

from benchmarks.side_by_side import ROOT, Row
from saltseg.plumbing.machine import cpu_model

PARTS = {
    "rle": "Run-length codes",
    "metric": "Metric and threshold curve",
    "components": "Connected components",
    "lovasz": "Lovász hinge",
    "loader": "Loading and augmenting",
    "training": "Training",
    "prediction": "Prediction",
    "surveys": "Surveys",
    "start": "Start of the stages that train nothing",
    "pipeline": "The whole pipeline",
    "growth": "How cost grows",
    "scale": "What a Ray cluster costs",
}
SMALLER = ("scale",)
"""Parts that can measure less."""
FOLDER = ROOT / "docs" / "results" / "benchmarks"
"""The figures of each part, kept in git with the page made from them."""
PACKAGES = ("numpy", "opencv-python-headless", "torch", "albumentations", "scikit-image", "scipy")
BUSY = 20
"""Percent of the processor used by other work above which figures are marked as rough."""
HEADS = {
    "": ("work", "compared with", "saltseg", "theirs", "ratio (range)", "target", "reached"),
    "growth": ("stage", "", "time", "peak memory", "bend", "target", "reached"),
    "scale": ("piece of work", "how many", "time", "memory", "ratio", "target", "reached"),
}
NOTES = {
    "surveys": "By the model that comes with saltseg. IoU is with the truth of a synthetic section."
    " Tiles in memory: the same networks on the same tiles, cut in advance.",
    "start": "The time of each stage's imports.",
    "growth": "At 500, 2,000, 8,000 and 18,000 test crops and 2/9 as many training crops, with the"
    " smallest network and one epoch per phase; medians of three runs, without imports. `ingest`"
    " reads Kaggle's zipped PNG files. Bend: the time at 18,000, divided by the straight line"
    " through the times at 500 and 8,000; a cost quadratic in the crops would have 2.2.",
    "scale": "Two nodes of one CPU each on this machine ([scaling](../scaling.md)). A local Ray is"
    " one that a process starts for itself. Items run one after the other, each in a checkout of"
    " this project with an input of 10 MB; their work is left out, the first starts a process and"
    " fills the node's cache. Bricks are 16 x 16 samples, so that their handling is what is"
    " measured; memory: the driver's peak, and its growth; ratio: time per brick at the larger"
    " number, divided by that at the smaller. Two workers and one do the same work, a core each:"
    " both times, and one's divided by two's. `--small` measures fewer bricks and"
    " pieces.",
}


def main() -> None:
    """Measure the parts in turn, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "benchmarks.md")
    parser.add_argument("--small", action="store_true", help=f"for {', '.join(SMALLER)}")
    parser.add_argument("--measure", choices=list(PARTS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    large = [part for part in options.parts or PARTS if part not in SMALLER]
    if options.small and large and not options.measure:
        parser.error(f"--small is for {', '.join(SMALLER)}, not for {large[0]}")
    if options.measure:
        measure(options.measure, options.small)
        return
    failed = [part for part in options.parts or PARTS if not measure_apart(part, options.small)]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page(), encoding="utf-8")
    if failed:
        sys.exit(1)


def measure_apart(part: str, small: bool) -> bool:
    """Measure one part in its own process, and tell whether it succeeded."""
    (FOLDER / f"{part}.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.run", "--measure", part, *["--small"] * small]
    failed = subprocess.run(command, cwd=ROOT).returncode
    print(f"{part}: {'failed' if failed else 'measured'}", flush=True)
    return not failed


def measure(part: str, small: bool) -> None:
    """Measure one part and save its rows."""
    busy, started = psutil.cpu_percent(interval=2), perf_counter()
    module = import_module(f"benchmarks.parts.{part}")
    rows = module.rows(small=True) if small else module.rows()
    spent = perf_counter() - started
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {
        "place": place(),
        "busy": busy,
        "seconds": spent,
        "rows": [asdict(row) for row in rows],
    }
    (FOLDER / f"{part}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def place() -> str:
    """Return date, code and machine of the measurement."""
    code = subprocess.run(
        ["git", "describe", "--always", "--dirty=, changed"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{date.today()}, code {code}: {cpu_model()}, {os.cpu_count()} cores,"
        f" {torch.backends.cpu.get_cpu_capability()}; {platform.system()},"
        f" Python {platform.python_version()}, {versions}"
    )


def page() -> str:
    """Return the page as Markdown."""
    sections = [section(part, title) for part, title in PARTS.items()]
    return "\n".join([*introduction(), *[line for lines in sections for line in lines]])


def introduction() -> list[str]:
    return [
        "# Benchmarks",
        "`make bench` measures everything and writes this page; `python -m benchmarks.run PART...`"
        f" measures only some parts: {', '.join(f'`{part}`' for part in PARTS)}.",
        "",
        "A ratio compares two methods measured in turn on the same input, in one process (runtimes"
        " of other packages have their own): the median over rounds of the other method's time"
        " divided by saltseg's, with minimum and maximum. Times are medians. Methods that exist"
        " only as code elsewhere are reimplemented in `benchmarks/parts` from their description.",
        "",
    ]


def section(part: str, title: str) -> list[str]:
    """Return a part's lines: its table, and how busy the machine was."""
    path = FOLDER / f"{part}.json"
    if not path.exists():
        return [f"## {title}", "Not measured yet.", ""]
    found = json.loads(path.read_text())
    heads = HEADS.get(part, HEADS[""])
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [line(Row(**row)) for row in found["rows"]]
    busy = f"Measured {found['place']}. Other work took {found['busy']:.0f}% of the processor"
    busy += " when this began"
    busy += ": **times and ratios are rough**." if found["busy"] > BUSY else "."
    notes = [NOTES[part], ""] if part in NOTES else []
    return [f"## {title}", *notes, *lines, "", busy, ""]


def line(row: Row) -> str:
    reached = {None: "", True: "yes", False: "**no**"}[row.reached]
    cells = (row.work, row.beside, row.ours, row.theirs, row.ratio, row.target, reached)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
