"""dvc that ends soon after the process that started it, however that ended.

    python -m saltseg.project.watched_dvc PARENT ARGUMENTS...   # project.dvc_process starts it

A process that is killed can end nobody: what it started has to look after it.
"""

import os
import signal
import sys
import time
from threading import Thread

WATCH = 0.5
"""Seconds between looks at the parent."""

_FAREWELL = 60.0
"""Seconds that an interrupted stage has to save its state."""


def main() -> None:
    """Run dvc, and watch the parent beside it."""
    parent, arguments = int(sys.argv[1]), sys.argv[2:]
    Thread(target=_watch, args=(parent,), daemon=True).start()
    from dvc.cli import main as dvc  # takes a second, in which the parent may end

    sys.argv = ["dvc", *arguments]
    sys.exit(dvc(arguments))


def _watch(parent: int) -> None:
    """Interrupt this process's group, its stages included, once another has adopted it."""
    while os.getppid() == parent:
        time.sleep(WATCH)
    os.killpg(os.getpgrp(), signal.SIGINT)
    time.sleep(_FAREWELL)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
