"""`saltseg survey`."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.plumbing.errors import one_line_errors


def survey(
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
    train: Annotated[int, typer.Option(min=1, help="Train crops.")] = 1000,
    test: Annotated[int, typer.Option(min=1, help="Test crops.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another survey.")] = 2018,
    sections: Annotated[int, typer.Option(min=0, help="Whole sections to write, as .npy.")] = 0,
    segy: Annotated[
        bool, typer.Option("--segy", help="Write these sections as SEG-Y too; needs segyio.")
    ] = False,
    zipped: Annotated[bool, typer.Option(help="Zip the images as Kaggle does.")] = True,
    workers: Annotated[int, typer.Option(min=0, help="Processes; never change a byte.")] = 2,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the survey that an earlier call wrote there.")
    ] = False,
) -> None:
    """Make a synthetic survey in Kaggle's layout, with its truths in OUT/truth."""
    from saltseg.plumbing.outputs import protected_outputs
    from saltseg.survey import generate, write_kaggle_layout, write_sections
    from saltseg.survey.kaggle import SURVEY_NAMES
    from saltseg.survey.segy import require_segyio

    if segy and not sections:
        raise typer.BadParameter("--segy writes whole sections: say how many with --sections")
    with one_line_errors():
        if segy:
            require_segyio()  # before the minutes that the crops take
        with protected_outputs(out, SURVEY_NAMES, force) as outputs:
            write_kaggle_layout(outputs.staging, generate(train, test, seed, workers), zipped)
            if sections:
                write_sections(outputs.staging / "sections", seed, sections, segy)
            outputs.place(*SURVEY_NAMES)
