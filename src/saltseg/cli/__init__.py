"""The command line, one module per subject."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from saltseg import __version__
from saltseg.cli import (
    ablations,
    experiments,
    last_run,
    machine,
    models,
    predictions,
    runs,
    seismic,
    submissions,
    survey_outputs,
    surveys,
    training,
)
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_process import interrupt_when_told
from saltseg.project.git import leave_callers_repository
from saltseg.project.lost_records import tell_lost_records

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
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
    interrupt_when_told()
    tell_lost_records(Layout(Path()).mlruns)


PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Train and compare": (
        experiments.recipe,
        training.train,
        last_run.summary,
        last_run.crops,
        ablations.ablate,
    ),
    "Recorded runs": (runs.report, runs.diff, runs.verify, runs.reproduce, experiments.sync),
    "Trained models": (
        models.promote,
        predictions.predict,
        survey_outputs.export,
        models.weights,
        models.export_onnx,
    ),
    "Submissions": (
        submissions.check,
        submissions.score,
        submissions.blend,
        submissions.upload,
        submissions.uploads,
    ),
    "Surveys": (seismic.inspect, surveys.survey),
    "This machine": (machine.doctor,),
}
"""The commands by task, as the help shows them."""

for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
