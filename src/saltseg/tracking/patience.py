"""How long one talks with a store in all: a server may answer each question byte by byte."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GREETING = 20.0
"""Seconds for the first question to a server."""

TALK = 60.0
"""Seconds for what a stage reports in one message."""

TRANSFER = 600.0
"""Seconds for what may move files: a command's work with the store, the end of a record."""


class StoreError(Exception):
    """A store answers too slowly, or what no MLflow server answers."""


class _Late(BaseException):
    """The time is over. No library that catches errors to try again may catch this one."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise StoreError where the block takes longer. Only the main thread can be so limited."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _end)
    rest = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Late as error:
        raise StoreError(f"it did not finish its answers within {seconds:.0f} s") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, *rest)
        signal.signal(signal.SIGALRM, before)


def _end(number: int, frame: FrameType | None) -> None:
    raise _Late
