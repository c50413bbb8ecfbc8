"""`saltseg export`: the outputs of a survey made again, without predicting."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from saltseg.serving.survey_outputs import OutputChoices

Sections = Annotated[
    list[str] | None,
    typer.Option(
        "--section",
        help="A section to draw, such as inline:1023, or a slice, such as sample:1400 at that time"
        " or depth; may be given again.",
        show_default="the middle one along each axis",
    ),
]
Truth = Annotated[
    Path | None,
    typer.Option(help="A volume of true salt to compare with, 1 in salt and else 0: any survey."),
]
LeastBody = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Samples of the smallest body that is kept.",
        show_default="half a dominant wavelength along each axis",
    ),
]


def export(
    prediction: Annotated[Path, typer.Argument(help="The store that saltseg predict wrote.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to.", show_default="the store's own")
    ] = None,
    survey: Annotated[
        Path | None,
        typer.Option(help="The survey, if it was moved.", show_default="where it was predicted"),
    ] = None,
    section: Sections = None,
    truth: Truth = None,
    least_body: LeastBody = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an earlier call wrote there.")
    ] = False,
) -> None:
    """Write SEG-Y, horizons, bodies, pictures and a page of a prediction, and their record."""
    with one_line_errors():
        from saltseg.seismic.bucket import check_not_in_bucket, located
        from saltseg.seismic.opening import open_survey
        from saltseg.serving.survey_outputs import OutputChoices, stored_options

        check_not_in_bucket(prediction, "the prediction")
        check_not_in_bucket(out or prediction, "--out")
        known, options = stored_options(prediction)
        file = located(survey) if survey else known
        if file is None:
            raise InputError(f"{prediction}: does not say its survey; name it with --survey")
        choices = OutputChoices(tuple(section or ()), truth, least_body)
        with open_survey(file, options) as opened:
            folder = out or prediction.resolve().parent
            write_and_log(prediction, opened, folder, choices, force)


def write_and_log(
    prediction: Path,
    survey: Any,  # noqa: ANN401  # a Survey, which would import numpy for every command
    out: Path,
    choices: "OutputChoices",
    force: bool,
) -> None:
    """Write a survey's outputs, say what was found, and log them where MLflow has a store."""
    from saltseg.serving.survey_outputs import write_outputs

    record = write_outputs(prediction, survey, out, choices, force)
    found = record["results"]
    small = f"{found['removed_bodies']:,} of less than {found['least_body']:,} samples left out"
    bodies = "1 body" if found["bodies"] == 1 else f"{found['bodies']:,} bodies"
    print(f"{survey.path}: {bodies} of salt, {found['salt_samples']:,} samples; {small}")
    print(f"outputs: {out}")
    _log(record, out)


def _log(record: "Mapping[str, Any]", out: Path) -> None:
    """Log a survey's record and small files; MLflow's failure costs a line, not the outputs."""
    from saltseg.plumbing.errors import reason_of
    from saltseg.tracking.address import has_store

    try:
        if not has_store(Layout(Path()).mlruns):
            return
        from saltseg.tracking.survey_runs import SurveyRun, log_survey

        paths = [out / "record.json", out / "bodies.csv", *sorted(out.glob("sections/*.png"))]
        files = {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}
        name = f"survey {Path(record['survey']['file']).name}"
        log_survey(Path(), SurveyRun(name, record, files))
    except Exception as error:
        print(f"saltseg: MLflow has no record of this: {reason_of(error)}", file=sys.stderr)
