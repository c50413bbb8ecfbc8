"""Running dvc as a subprocess that shuts down cleanly with its parent."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from saltseg.project.git import environment_of_children
from saltseg.project.processes import GRACE_PERIOD

Process = subprocess.Popen[bytes]

STANDARD_ERROR = 2
"""Its file descriptor."""

_FOREIGN = ("DVC", "GIT_", "SALTSEG")
"""Prefixes of environment variables that would point a stage outside its checkout."""


def start_dvc(
    root: Path, arguments: Sequence[str], environment: Mapping[str, str], output: int | None
) -> Process:
    """Start `dvc ARGUMENTS` in `root`; see `start_watched`."""
    return start_watched("saltseg.project.watched_dvc", root, arguments, environment, output)


def start_watched(
    module: str,
    root: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: int | None,
) -> Process:
    """Start a module in `root`, in a session of its own that only this process interrupts.

    It ends when this process ends, even if this process is killed: the module takes this process's
    id before its arguments, and calls processes.end_group_with.

    environment: its environment; variables that would point git to another repository are removed.
    output: file descriptor for stdout and stderr; None to inherit this process's.
    """
    with _interrupts_enabled():
        return subprocess.Popen(
            [sys.executable, "-m", module, str(os.getpid()), *arguments],
            cwd=root,
            env=environment_of_children(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            start_new_session=True,
        )


@contextmanager
def _interrupts_enabled() -> Iterator[None]:
    """Let children started in the block receive SIGINT even if this process ignores it.

    A shell script starts background jobs (`command &`) with SIGINT ignored, and children inherit
    that.
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


def environment_of_checkout(
    variables: Mapping[str, str], foreign: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return `variables` for dvc in another checkout than this process's, run by this Python.

    Those that would point a stage outside its checkout are removed. foreign: prefixes of more to
    remove.
    """
    left_out = (*_FOREIGN, *foreign)
    kept = {name: value for name, value in variables.items() if not name.startswith(left_out)}
    # dvc.yaml runs `python`, which must be this one.
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {"PATH": path}


def run_dvc(
    root: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: int | None = None,
) -> int:
    """Run `dvc ARGUMENTS` to completion as `start_dvc` does; return its exit code."""
    process = start_dvc(root, arguments, environment, output)
    with ended_with_this(lambda: [process]):
        return process.wait()


@contextmanager
def ended_with_this(running: Callable[[], Sequence[Process]]) -> Iterator[None]:
    """On Ctrl-C or an error, interrupt the processes that `running` returns; checkpoints stay."""
    try:
        yield
    except BaseException:
        processes = running()
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
        for process in processes:
            try:
                process.wait(GRACE_PERIOD)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        raise


def interrupt_when_told() -> None:
    """Treat SIGTERM and SIGHUP (batch system, closed terminal) as Ctrl-C, so that dvc ends too.

    A signal that is already ignored stays ignored, so that nohup works.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
