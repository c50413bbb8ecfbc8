"""`saltseg summary` and `crops`, for the run whose outputs are in the checkout."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout

_LAYOUT = Layout(Path())


def summary() -> None:
    """Show recipe, score, time and model of the last pipeline run, and the next command."""
    with one_line_errors():
        from saltseg.serving.run_summary import run_summary

        print(run_summary(_LAYOUT))


def crops(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("crops"),
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an earlier call wrote.")
    ] = False,
) -> None:
    """Write pages to leaf through all out-of-fold crops of the last pipeline run.

    Each crop with its truth, probability, prediction and neighbours; sorted by score, IoU or
    coverage, by kind of error, fold and class. They need no network.
    """
    with one_line_errors():
        from saltseg.plumbing.outputs import protected_outputs
        from saltseg.reports.crop_pages import PAGE, SHEETS, write_crop_pages

        with protected_outputs(out, [PAGE, SHEETS], force) as outputs:
            count = write_crop_pages(_LAYOUT, outputs.staging)
            outputs.place(SHEETS, PAGE)
    size = sum(path.stat().st_size for path in (out / PAGE, *(out / SHEETS).iterdir()))
    print(f"{out / PAGE}: {count:,} crops, {size / 1e6:.1f} MB; open it in a browser")
