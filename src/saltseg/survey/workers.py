"""The processes that make sections: what each of them does before its first."""

import multiprocessing
import os
from threading import Thread

from saltseg.plumbing.memory import keep_freed_memory


def set_up_worker() -> None:
    """Let this process keep freed memory, and end when its parent is killed."""
    keep_freed_memory()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent's end: waiting for work, this process would never notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
