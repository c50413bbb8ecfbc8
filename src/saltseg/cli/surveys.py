"""`saltseg survey`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from saltseg.plumbing.errors import InputError, one_line_errors

if TYPE_CHECKING:
    from saltseg.survey.grid import Grid


Out = Annotated[Path, typer.Argument(help="Folder to write to.")]
Train = Annotated[int, typer.Option(min=1, help="Number of training crops.")]
Test = Annotated[int, typer.Option(min=1, help="Number of test crops.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the survey.")]
Sections = Annotated[int, typer.Option(min=0, help="Whole sections to write as .npy.")]
Volume = Annotated[
    str | None,
    typer.Option(
        metavar="INLINESxCROSSLINESxSAMPLES",
        help="Write a volume and its truth instead of crops, for example 200x200x200.",
    ),
]
StyleName = Literal["default", "wide", "apart"]
"""The names of saltseg.survey.ranges.RANGES, which take long to import."""
Style = Annotated[
    StyleName,
    typer.Option(help="default: like Kaggle's crops; wide: like surveys at large; apart: unlike."),
]
WithSegy = Annotated[
    bool, typer.Option("--segy", help="Write sections or volume as SEG-Y too; needs segyio.")
]
Zipped = Annotated[bool, typer.Option(help="Zip the images as Kaggle does.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes; they change no byte.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing survey.")]


def survey(
    out: Out,
    train: Train = 1000,
    test: Test = 400,
    seed: Seed = 2018,
    sections: Sections = 0,
    volume: Volume = None,
    style: Style = "default",
    segy: WithSegy = False,
    zipped: Zipped = True,
    workers: Workers = 2,
    force: Force = False,
) -> None:
    """Make a synthetic survey: crops in Kaggle's layout with their truths, or a volume."""
    from saltseg.survey.segy import require_segyio
    from saltseg.survey.volume_files import parse_size

    if segy and not sections and volume is None:
        raise typer.BadParameter(
            "--segy writes sections or a volume: say how many with --sections, or how large with"
            " --volume"
        )
    if volume is not None and sections:
        raise typer.BadParameter("--volume and --sections exclude each other: run saltseg twice")
    try:
        grid = parse_size(volume) if volume is not None else None
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    with one_line_errors():
        if segy:
            require_segyio()  # before spending minutes on crops
        if grid is not None:
            _write_volume(out, seed, grid, segy, workers, style, force)
        else:
            crops = _Crops(train, test, seed, workers, style)
            _write_crops(out, crops, zipped, sections, segy, force)


@dataclass(frozen=True)
class _Crops:
    """What saltseg.survey.generate takes."""

    train: int
    test: int
    seed: int
    workers: int
    style: str


def _write_crops(
    out: Path, crops: _Crops, zipped: bool, sections: int, segy: bool, force: bool
) -> None:
    from saltseg.plumbing.outputs import protected_outputs
    from saltseg.survey import generate, write_kaggle_layout, write_sections
    from saltseg.survey.kaggle import SURVEY_NAMES

    with protected_outputs(out, SURVEY_NAMES, force) as outputs:
        write_kaggle_layout(outputs.staging, generate(**asdict(crops)), zipped)
        if sections:
            folder = outputs.staging / "sections"
            write_sections(folder, crops.seed, sections, segy, crops.style)
        outputs.place(*SURVEY_NAMES)


def _write_volume(
    out: Path, seed: int, grid: "Grid", segy: bool, workers: int, style: str, force: bool
) -> None:
    from saltseg.plumbing.outputs import protected_outputs
    from saltseg.survey.volume_files import VOLUME_NAMES, write_volume

    with protected_outputs(out, VOLUME_NAMES, force) as outputs:
        write_volume(outputs.staging, seed, grid, segy, workers, style=style)
        outputs.place(*VOLUME_NAMES)
