"""`saltseg train`."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from saltseg.errors import one_line_errors


def train(
    jobs: Annotated[
        str, typer.Option(help="Items at a time; auto: one for each GPU or share of the CPUs.")
    ] = "auto",
) -> None:
    """Run the pipeline like `dvc repro`, but teachers and members of all folds side by side."""
    if jobs != "auto" and not (jobs.isdecimal() and int(jobs) > 0):
        raise typer.BadParameter(f"{jobs!r}: give auto or a number from 1 on", param_hint="--jobs")
    from saltseg.parallel_training import train_in_parallel

    # Whoever ends this process, a batch system or a closed terminal, ends the jobs with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with one_line_errors():
        train_in_parallel(Path(), None if jobs == "auto" else int(jobs))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
