"""The command line: what a person calls beside `dvc repro`."""

import typer

app = typer.Typer(
    help="Find salt in seismic images, reproducibly.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
