"""Time limits for talking to a store: a server may answer byte by byte, without a timeout."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GREETING = 20.0
"""Seconds for the first request to a server."""

TALK = 60.0
"""Seconds for logging one message of a stage."""

TRANSFER = 600.0
"""Seconds for work that may transfer files: a command's, and the end of a run."""


class StoreError(Exception):
    """A store answers too slowly, or not as MLflow does."""


class _Late(BaseException):
    """Time is up. A BaseException, so that no library catches it in order to retry."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise StoreError if the block takes longer. Works in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _end)
    rest = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Late as error:
        raise StoreError(f"it took more than {seconds:.0f} s") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, *rest)
        signal.signal(signal.SIGALRM, before)


def _end(number: int, frame: FrameType | None) -> None:
    raise _Late
