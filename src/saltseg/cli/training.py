"""`saltseg train`."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import check_project


def train(
    jobs: Annotated[
        str, typer.Option(help="Trainings at a time; auto: one per GPU or share of the CPUs.")
    ] = "auto",
) -> None:
    """Run the pipeline like `dvc repro`, but with the trainings of all folds in parallel."""
    if jobs != "auto" and not (jobs.isdecimal() and int(jobs) > 0):
        raise typer.BadParameter(
            f"{jobs!r}: give auto or a number of at least 1", param_hint="--jobs"
        )
    from saltseg.cluster.parallel_training import train_in_parallel
    from saltseg.project.dvc_process import interrupt_when_told

    interrupt_when_told()
    with one_line_errors():
        check_project(Path())
        train_in_parallel(Path(), None if jobs == "auto" else int(jobs))
