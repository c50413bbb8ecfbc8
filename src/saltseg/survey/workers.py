"""Set-up of the worker processes that make sections."""

import multiprocessing
import os
from threading import Thread

from saltseg.plumbing.memory import keep_freed_memory


def set_up_worker() -> None:
    """Keep freed memory in this process, and exit when its parent is killed."""
    keep_freed_memory()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent to end, which a process waiting for work would not notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
