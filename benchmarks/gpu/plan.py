"""The parts of the measurement, their share of the time, and running each in its own process."""

import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.gpu.settings import Settings
from benchmarks.side_by_side import ROOT

SHARES: Mapping[str, float] = {"steps": 0.17, "throughput": 0.17, "compiled": 0.1, "fold": 0.56}
"""Share of the whole time that each part may take, in order; the last also gets what others leave.

A part that is over before leaves its time to the next ones.
"""
ENDING = 15.0
"""Seconds kept back for the report."""
GRACE = 10.0
"""Seconds that a part may go on after its time, to finish what it does, before it is killed."""


@dataclass(frozen=True)
class Outcome:
    """How a part ended."""

    part: str
    ended: str
    """`done`, or why not, in one line."""
    seconds: float


def allotted(part: str, budget: float, spent: float) -> float:
    """Return the seconds that a part may take: its share and what earlier parts left.

    budget: seconds for everything; spent: seconds since the start. 0 if there is no time.
    """
    names = list(SHARES)
    through = sum(SHARES[name] for name in names[: names.index(part) + 1])
    return max(0.0, through * (budget - ENDING) - spent)


def run_part(part: str, settings: Settings, seconds: float) -> Outcome:
    """Run a part for at most `seconds` and some grace; its failure is an outcome like another."""
    if seconds <= 0:
        return Outcome(part, "left out: no time", 0.0)
    started = time.monotonic()
    told = replace(settings, until=time.time() + seconds)
    command = [sys.executable, "-m", "benchmarks.gpu", "--part", part, told.write()]
    log = Path(settings.folder) / f"{part}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        try:
            ended = _ended(process.wait(timeout=seconds + GRACE), log)
        except subprocess.TimeoutExpired:
            ended = f"killed after {seconds:.0f} s; what it had found is kept"
        finally:
            _end(process)
    return Outcome(part, ended, time.monotonic() - started)


def _ended(code: int, log: Path) -> str:
    if code == 0:
        return "done"
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return f"failed with exit code {code}: {last[:300]}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a part and the processes that it started."""
    import psutil

    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    process.kill()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait()
