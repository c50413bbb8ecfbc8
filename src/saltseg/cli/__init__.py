"""The command line, one module per subject."""

import os
from typing import Annotated

import typer

from saltseg import __version__
from saltseg.cli import (
    ablations,
    experiments,
    models,
    predictions,
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
        typer.Option(
            "--version", is_eager=True, callback=_say_version, help="Show the version and exit."
        ),
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
    predictions.predict,
    models.weights,
    models.export_onnx,
    survey_outputs.export,
):
    app.command()(command)
