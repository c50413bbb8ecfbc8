"""The whole pipeline on the embedded survey from cold: where the time goes; then with no change."""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.side_by_side import ROOT, Row, duration, fact_row, in_turn, limit_row
from saltseg.config.recipes import write_recipe
from saltseg.plumbing.layout import Layout

UNUSED = ("tests", "docs", "benchmarks")
"""Folders that the pipeline does not need."""
LEARNING = {"pseudolabel", "train-per-fold", "snapshot-ensemble"}
"""Stages that train or predict."""
SHARE = 0.05
RUNNING = re.compile(r"Running stage '([^'@]+)(@[^']*)?'")


def rows() -> list[Row]:
    """Run `dvc repro` in a fresh checkout, then again."""
    with TemporaryDirectory() as name:
        root = Path(name)
        make_checkout(root)
        spent = stage_seconds(root)
        total = sum(spent.values())
        profile = [profile_row(stage, value, total) for stage, value in spent.items()]
        again = in_turn(
            {"repro": lambda: dvc(root, "repro"), "version": lambda: dvc(root, "-V")}, 5
        )
        return [
            fact_row("the demo's pipeline from cold, `dvc repro`", duration(total)),
            *profile,
            limit_row("`dvc repro` with no change", median(again["repro"]), 3, duration),
            fact_row("of this, what `dvc --version` takes too", duration(median(again["version"]))),
        ]


def profile_row(stage: str, value: float, total: float) -> Row:
    share = value / total
    asked = stage not in LEARNING
    return Row(
        f"its part: {stage}",
        "",
        f"{duration(value)}, {share:.1%}",
        "",
        "",
        f"under {SHARE:.0%}" if asked else "",
        share < SHARE if asked else None,
    )


def make_checkout(root: Path) -> None:
    """Copy what the pipeline needs into a git and DVC repository of its own, as the demo."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(UNUSED) and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    write_recipe(Layout(root), "demo")
    identity = ("-c", "user.name=saltseg", "-c", "user.email=saltseg@example.org")
    for command in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "-qm", "start")):
        subprocess.run(["git", *command], cwd=root, check=True)


def stage_seconds(root: Path) -> dict[str, float]:
    """Run the pipeline; return the seconds from one stage's announcement to the next one's.

    What dvc does before the first stage, and hashing and caching after each, is in them.
    """
    spent: dict[str, float] = defaultdict(float)
    stage, since = "start of dvc", perf_counter()
    with subprocess.Popen(
        ["dvc", "repro"], cwd=root, env=environment(root), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            announced = RUNNING.match(line)
            if announced:
                now = perf_counter()
                spent[stage] += now - since
                stage, since = announced[1], now
    spent[stage] += perf_counter() - since
    if process.returncode:
        raise SystemExit("dvc repro failed")
    return dict(spent)


def dvc(root: Path, *arguments: str) -> None:
    subprocess.run(
        ["dvc", *arguments], cwd=root, env=environment(root), check=True, stdout=subprocess.DEVNULL
    )


def environment(root: Path) -> dict[str, str]:
    """Return a shell's variables in which the checkout's own package is the one that runs."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DVC", "MLFLOW"))}
    return inherited | {"PATH": path, "PYTHONPATH": str(root / "src")}
