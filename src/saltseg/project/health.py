"""Whether this machine has what the pipeline needs, and what the optional commands need."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.machine import cpu_model, cpus
from saltseg.project.git import git
from saltseg.project.kaggle_client import kaggle_client

PYTHON = (3, 11)
"""The oldest Python that saltseg runs on."""
LEAST_SPACE, ENOUGH_SPACE = 1, 10
"""Free space in GB that a small run needs, and that a large one may need."""

_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class State(Enum):
    """What was found: all well, an optional thing absent, or a needed one."""

    WELL = "ok"
    ABSENT = "-"
    NEEDED = "MISSING"


@dataclass(frozen=True)
class Finding:
    """A thing that was looked for, what was found, and what to do where it is missing."""

    name: str
    state: State
    text: str


def check_machine(root: Path) -> Iterator[Finding]:
    """Yield the findings on everything but the tracking server, the most basic first."""
    checks: tuple[Callable[[Path], Finding], ...] = (
        _python,
        _git,
        _project,
        _dvc,
        _packages,
        _torch,
        _disk,
        _segyio,
        _kaggle,
        _browser,
    )
    for check in checks:
        yield check(root)


def _python(_: Path) -> Finding:
    """Check Python, and that `python`, which dvc runs, is this one."""
    text = f"{sys.version.split()[0]} in {sys.prefix}"
    if sys.version_info < PYTHON:
        wanted = ".".join(map(str, PYTHON))
        return Finding("Python", State.NEEDED, f"{text}; saltseg needs {wanted} or newer")
    found = shutil.which("python")
    if found is None or Path(found).parent != Path(sys.executable).parent:
        advice = "dvc runs 'python', which is another here; run: source .venv/bin/activate"
        return Finding("Python", State.NEEDED, f"{text}; {advice}")
    return Finding("Python", State.WELL, text)


def _git(root: Path) -> Finding:
    try:
        known = git(root, "--version").decode().split()[-1]
        git(root, "rev-parse", "--git-dir")
    except InputError as error:
        return Finding("git", State.NEEDED, f"{error}; clone the project, or run git init in it")
    return Finding("git", State.WELL, known)


def _project(root: Path) -> Finding:
    missing = [name for name in ("dvc.yaml", "params.yaml", "conf") if not (root / name).exists()]
    if missing:
        text = f"{root.resolve()} has no {first_few(missing)}; change to the project's folder"
        return Finding("project", State.NEEDED, text)
    return Finding("project", State.WELL, str(root.resolve()))


def _dvc(root: Path) -> Finding:
    if shutil.which("dvc") is None:
        return Finding("DVC", State.NEEDED, "no command 'dvc'; run: source .venv/bin/activate")
    known = version("dvc")
    done = subprocess.run(["dvc", "remote", "list"], cwd=root, capture_output=True, text=True)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["it failed"]
        return Finding("DVC", State.NEEDED, f"{known}; dvc remote list: {reason[0]}")
    remotes = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    told = f"remotes: {first_few(remotes)}" if remotes else "no remote, so runs stay on this disk"
    return Finding("DVC", State.WELL, f"{known}; {told}")


def _packages(root: Path) -> Finding:
    """Compare the installed packages with the lock; those that are not installed do not count."""
    lock = root / "requirements.lock"
    if not lock.is_file():
        return Finding("packages", State.ABSENT, "there is no requirements.lock to compare with")
    locked: dict[str, list[str]] = {}  # some versions are for another Python or system
    for name, wanted in _LOCKED.findall(lock.read_text(encoding="utf-8")):
        locked.setdefault(name, []).append(wanted)
    other = [
        f"{name} {installed}, not {versions[-1]}"
        for name, versions in locked.items()
        if (installed := _version(name)) not in (None, *versions)
    ]
    if other:
        text = f"{len(other)} other than locked: {first_few(other, 3)}; 'make install' sets them up"
        return Finding("packages", State.ABSENT, text)
    return Finding("packages", State.WELL, "as in requirements.lock")


def _torch(_: Path) -> Finding:
    try:
        from saltseg.models.devices import best_accelerator, computes_bfloat16  # takes seconds
    except ImportError as error:
        return Finding("torch", State.NEEDED, f"cannot be imported ({error}); run: make install")
    device = best_accelerator()
    half = "bfloat16" if computes_bfloat16(device) else "no bfloat16"
    machine = f"{cpus()} CPUs, {cpu_model()}"
    return Finding("torch", State.WELL, f"{version('torch')} on {device}, {half}; {machine}")


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free / 1e9
    text = f"{free:,.0f} GB free"
    if not os.access(root, os.W_OK):
        return Finding("disk", State.NEEDED, f"{root.resolve()} cannot be written to")
    if free < LEAST_SPACE:
        return Finding("disk", State.NEEDED, f"{text}; free some, or move .dvc/cache elsewhere")
    if free < ENOUGH_SPACE:
        return Finding("disk", State.ABSENT, f"{text}, which large ensembles may fill")
    return Finding("disk", State.WELL, text)


def _segyio(_: Path) -> Finding:
    if importlib.util.find_spec("segyio"):
        return Finding("segyio", State.WELL, f"{_version('segyio')}")
    return Finding("segyio", State.ABSENT, "SEG-Y is read without it; pip install 'saltseg[segy]'")


def _kaggle(_: Path) -> Finding:
    if kaggle_client():
        return Finding("kaggle", State.WELL, f"{_version('kaggle') or 'installed elsewhere'}")
    advice = "'saltseg upload' needs it; pip install kaggle"
    return Finding("kaggle", State.ABSENT, f"no client; {advice}")


def _browser(_: Path) -> Finding:
    names = (os.environ["CHROMIUM"],) if "CHROMIUM" in os.environ else _BROWSERS
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found:
        return Finding("browser", State.WELL, found)
    return Finding(
        "browser", State.ABSENT, "no Chromium; only tests of pages need it, any browser shows pages"
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
