"""Processes: identified without the wall clock, and ended with the one that started them."""

import os
import signal
import time
from functools import cache
from pathlib import Path
from threading import Thread

import psutil

GRACE_PERIOD = 60.0
"""Seconds that an interrupted stage has to save its checkpoint."""

_WATCH = 0.5
"""Seconds between checks of a parent."""

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


def end_group_with(parent: int) -> None:
    """Interrupt this process's group, stages included, soon after the process `parent` has ended.

    It must have started this process, as the first of a group.
    """
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH)
    os.killpg(os.getpgrp(), signal.SIGINT)
    time.sleep(GRACE_PERIOD)
    os.killpg(os.getpgrp(), signal.SIGKILL)


@cache
def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
