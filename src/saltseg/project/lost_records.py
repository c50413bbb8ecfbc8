"""Notes of records that MLflow did not take, printed once by the next stage or command.

The recorder that loses a record runs in the background: nobody sees what it prints.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from saltseg.plumbing.errors import printable

_NOTE = ".lost-records"


def note_lost_record(folder: Path, line: str) -> None:
    """Leave a line in `folder`, the project's mlruns."""
    with suppress(OSError), (folder / _NOTE).open("a", encoding="utf-8") as note:
        note.write(f"{printable(line)}\n")


def tell_lost_records(folder: Path) -> None:
    """Print the lines left in `folder` as warnings, and remove them."""
    mine = folder / f"{_NOTE}-{os.getpid()}"
    with suppress(OSError):  # there is none, as a rule
        (folder / _NOTE).replace(mine)  # so that of two stages that start at once one tells
        lines = mine.read_text(encoding="utf-8", errors="replace").splitlines()
        mine.unlink()
        for line in lines:
            print(f"saltseg: warning: {printable(line)}", file=sys.stderr, flush=True)
