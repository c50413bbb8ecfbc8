"""A stage's script in a real process that starts at once: its imports were made before the fork."""

import multiprocessing
import os
import resource
import runpy
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from stages import pseudolabel, train_per_fold

SCRIPTS = {"pseudolabel": pseudolabel.__file__, "train-per-fold": train_per_fold.__file__}


@dataclass(frozen=True)
class StageProcess:
    """A started stage, and the file that holds what it prints."""

    process: ForkServerProcess
    log: Path

    def wait(self) -> int | None:
        """Wait until the process has ended; return its exit code."""
        self.process.join()
        return self.process.exitcode

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.is_alive()

    def kill(self, signal: int) -> None:
        """Send a signal, if it has not ended."""
        if self.process.pid is not None and self.running:
            os.kill(self.process.pid, signal)


def start_stage(
    root: Path, log: Path, stage: str, *items: str, largest_file: int | None = None
) -> StageProcess:
    """Start the script of one of SCRIPTS for its items of the matrix below `root`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(root, log, stage, items, largest_file))
    process.start()
    return StageProcess(process, log)


def _run(
    root: Path, log: Path, stage: str, items: tuple[str, ...], largest_file: int | None
) -> None:
    os.chdir(root)
    printed = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    if largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    script = str(SCRIPTS[stage])
    sys.argv = [script, *items]
    runpy.run_path(script, run_name="__main__")
