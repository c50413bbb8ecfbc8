"""Identifying processes without the wall clock."""

from functools import cache
from pathlib import Path

import psutil

_PROC = Path("/proc")
_START = 19
"""Field of /proc/PID/stat with the start time, counted after the name (proc_pid_stat(5))."""


def identity(pid: int) -> str:
    """Return a string that identifies process `pid`, even if the pid is reused.

    On Linux it is the boot id and the process's start in clock ticks since boot, because the start
    time that psutil computes moves when the system clock is set. Other kernels store the start
    time itself. Raises psutil.NoSuchProcess if there is no such process.
    """
    try:
        # The name, in parentheses, may itself contain spaces and parentheses.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return f"{_boot()}/{fields[_START]}"
    except (OSError, IndexError):
        return repr(psutil.Process(pid).create_time())


def lives(pid: int, known: str) -> bool:
    """Tell whether the process with this pid and identity is still running."""
    try:
        ended = psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        return not ended and identity(pid) == known
    except psutil.Error:  # it may end between two calls
        return False


@cache
def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
