"""`saltseg train`."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.cli.cluster_options import Ray, States, check_states
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import check_project


def train(
    jobs: Annotated[
        str,
        typer.Option(help="Trainings at a time; auto: what the GPUs' memory or the CPUs allow."),
    ] = "auto",
    ray: Ray = None,
    states: States = None,
) -> None:
    """Run the pipeline like `dvc repro`, but with the trainings of all folds in parallel."""
    if jobs != "auto" and not (jobs.isdecimal() and int(jobs) > 0):
        raise typer.BadParameter(
            f"{jobs!r}: give auto or a number of at least 1", param_hint="--jobs"
        )
    if ray is not None and jobs != "auto":
        raise typer.BadParameter("--jobs is for one machine: with --ray, the cluster's size counts")
    check_states(ray, states)
    with one_line_errors():
        check_project(Path())
        if ray is not None:
            from saltseg.cluster.cluster_training import train_on_cluster

            train_on_cluster(Path(), ray, states)
            return
        from saltseg.cluster.parallel_training import train_in_parallel

        train_in_parallel(Path(), None if jobs == "auto" else int(jobs))
