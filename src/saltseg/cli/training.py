"""`saltseg train`."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import check_project


def train(
    jobs: Annotated[
        str, typer.Option(help="Items at a time; auto: one for each GPU or share of the CPUs.")
    ] = "auto",
) -> None:
    """Run the pipeline like `dvc repro`, but teachers and members of all folds side by side."""
    if jobs != "auto" and not (jobs.isdecimal() and int(jobs) > 0):
        raise typer.BadParameter(f"{jobs!r}: give auto or a number from 1 on", param_hint="--jobs")
    from saltseg.cluster.parallel_training import train_in_parallel
    from saltseg.project.dvc_process import interrupt_when_told

    interrupt_when_told()
    with one_line_errors():
        check_project(Path())
        train_in_parallel(Path(), None if jobs == "auto" else int(jobs))
