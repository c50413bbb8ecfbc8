"""The command line: what a person calls beside `dvc repro`, one module for each subject."""

import typer

from saltseg.cli import (
    ablations,
    experiments,
    models,
    runs,
    seismic,
    submissions,
    surveys,
    training,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def main() -> None:
    """Find salt in seismic images, reproducibly."""


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
):
    app.command()(command)
