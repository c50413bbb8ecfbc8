"""dvc as a process of its own, which ends in good order with the one that started it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from saltseg.project.git import environment_of_children

Process = subprocess.Popen[bytes]

STANDARD_ERROR = 2
"""Its file descriptor."""

_FAREWELL = 60.0
"""Seconds that an interrupted stage has to save its state."""


def start_dvc(
    root: Path, arguments: Sequence[str], environment: Mapping[str, str], output: int | None
) -> Process:
    """Start `dvc ARGUMENTS` in `root`, in a session that only this process interrupts.

    It ends with this process, a killed one too.

    environment: all its variables, but for those that would lead its git to another repository.
    output: the file descriptor that takes all that it says; None leaves it where this process's
    own output goes.
    """
    with _heeded_interrupts():
        return subprocess.Popen(
            [sys.executable, "-m", "saltseg.project.watched_dvc", str(os.getpid()), *arguments],
            cwd=root,
            env=environment_of_children(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            start_new_session=True,
        )


@contextmanager
def _heeded_interrupts() -> Iterator[None]:
    """Let what is started here heed SIGINT where this process was told to ignore it.

    So it is behind the & of a script: its shell keeps the terminal's Ctrl-C from the background,
    and every child would inherit that.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run_dvc(
    root: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: int | None = None,
) -> int:
    """Run `dvc ARGUMENTS` to its end as `start_dvc` starts it; return its exit code."""
    process = start_dvc(root, arguments, environment, output)
    with ended_with_this(lambda: [process]):
        return process.wait()


@contextmanager
def ended_with_this(running: Callable[[], Sequence[Process]]) -> Iterator[None]:
    """Interrupt what `running` names where the block is left by Ctrl-C or an error; states stay."""
    try:
        yield
    except BaseException:
        processes = running()
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
        for process in processes:
            try:
                process.wait(_FAREWELL)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        raise


def interrupt_when_told() -> None:
    """Take the end by a batch system or a closed terminal for Ctrl-C, so that dvc ends as well.

    A signal that is ignored stays so: nohup is there to outlive the terminal.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
