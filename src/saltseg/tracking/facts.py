"""What a run is remembered with: the code's state and the machine."""

import os
import platform
import socket
import subprocess
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from saltseg.files import hash_file

_CODE = [".", ":(exclude)dvc.lock", ":(exclude)results"]
"""What counts as changed code: all but what the pipeline itself writes."""


def run_tags(root: Path) -> dict[str, str]:
    """Return the tags that every run has: experiment, commit, machine, versions."""
    changed = _git(root, "status", "--porcelain", "--", *_CODE)
    tags = {
        "host": socket.gethostname(),
        "cpu": _cpu(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "git.dirty": str(bool(changed)).lower(),
        "git.changed": changed[:5000],
        "mlflow.source.git.commit": _git(root, "rev-parse", "HEAD").strip(),
        "dvc.experiment": os.environ.get("DVC_EXP_NAME", ""),
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV", ""),
    }
    lock = root / "requirements.lock"
    if lock.exists():
        tags["requirements.lock"] = hash_file(lock)
    return {key: value for key, value in tags.items() if value}


def code_patch(root: Path) -> str:
    """Return the difference between the last commit and the files that git tracks."""
    return _git(root, "diff", "HEAD", "--", *_CODE)


def pipeline_name(root: Path) -> str:
    """Return a name for a run of the pipeline: the experiment's, or branch, commit and time."""
    branch = _git(root, "rev-parse", "--abbrev-ref", "HEAD").strip()
    commit = _git(root, "rev-parse", "--short", "HEAD").strip()
    made = " ".join([branch, commit, datetime.now().strftime("%Y-%m-%d %H:%M:%S")])
    return os.environ.get("DVC_EXP_NAME") or made.strip()


def _git(root: Path, *arguments: str) -> str:
    """Return what git says; nothing where there is no git, no repository or no commit."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


def _cpu() -> str:
    """Return the processor's model as Linux and macOS name it."""
    try:
        if platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
