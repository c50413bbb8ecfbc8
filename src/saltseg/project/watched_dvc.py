"""dvc that ends soon after its parent process, however the parent ended.

    python -m saltseg.project.watched_dvc PARENT ARGUMENTS...   # project.dvc_process starts it

A killed process cannot clean up, so its child has to watch it.
"""

import os
import signal
import sys
import time
from threading import Thread

WATCH = 0.5
"""Seconds between checks of the parent."""

_GRACE_PERIOD = 60.0
"""Seconds that an interrupted stage has to save its checkpoint."""


def main() -> None:
    """Run dvc, and watch the parent in a thread."""
    parent, arguments = int(sys.argv[1]), sys.argv[2:]
    Thread(target=_watch, args=(parent,), daemon=True).start()
    from dvc.cli import main as dvc  # takes a second, during which the parent may end

    sys.argv = ["dvc", *arguments]
    sys.exit(dvc(arguments))


def _watch(parent: int) -> None:
    """Once the parent is gone, interrupt this process group, stages included."""
    while os.getppid() == parent:
        time.sleep(WATCH)
    os.killpg(os.getpgrp(), signal.SIGINT)
    time.sleep(_GRACE_PERIOD)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
