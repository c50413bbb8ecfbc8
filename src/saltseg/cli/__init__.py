"""The command line: what a person calls beside `dvc repro`, one module for each subject."""

import os
from typing import Annotated

import typer

from saltseg import __version__
from saltseg.cli import (
    ablations,
    experiments,
    models,
    runs,
    seismic,
    submissions,
    survey_outputs,
    surveys,
    training,
)
from saltseg.project.git import leave_callers_repository

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"saltseg {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Say it and stop."),
    ] = False,
) -> None:
    """Find salt in seismic images, reproducibly."""
    leave_callers_repository(os.environ)


for command in (
    surveys.survey,
    submissions.check,
    submissions.score,
    submissions.upload,
    submissions.summary,
    experiments.recipe,
    experiments.sync,
    training.train,
    ablations.ablate,
    runs.reproduce,
    runs.verify,
    runs.diff,
    seismic.inspect,
    models.promote,
    models.predict,
    models.weights,
    survey_outputs.export,
):
    app.command()(command)
