"""Processes, told apart without asking the wall clock."""

from functools import cache
from pathlib import Path

import psutil

_PROC = Path("/proc")
_START = 19
"""The field of /proc/PID/stat with the start, counted from behind the name (proc_pid_stat(5))."""


def identity(pid: int) -> str:
    """Return what tells process `pid` from any other that has, had or will have this number.

    On Linux that is the boot and the clock ticks from boot to the process's start: setting the
    system's clock moves the start that psutil computes. Elsewhere the kernel keeps the start
    itself. Raises psutil.NoSuchProcess where there is none.
    """
    try:
        # The name, in brackets, may hold spaces and brackets of its own.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return f"{_boot()}/{fields[_START]}"
    except (OSError, IndexError):
        return repr(psutil.Process(pid).create_time())


def lives(pid: int, known: str) -> bool:
    """Tell whether process `pid` is still the one with the identity `known`, and has not ended."""
    try:
        ended = psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        return not ended and identity(pid) == known
    except psutil.Error:  # it may end at any moment, also between two questions
        return False


@cache
def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
