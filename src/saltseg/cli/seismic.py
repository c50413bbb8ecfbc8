"""`saltseg inspect`: what a survey file holds."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saltseg.cli.survey_options import survey_options
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.project.registered_model import CHAMPION
from saltseg.seismic.options import SurveyOptions

if TYPE_CHECKING:
    from saltseg.seismic.learned_crops import LearnedCrops

Crops = Annotated[
    Path | None,
    typer.Option(
        help="Crops to compare with, .npy.",
        show_default="the model's; else data/ingest/train_images.npy, or the embedded survey's",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="The model whose crops to compare with: of MLflow's registry, or its folder.",
        show_default=f"{CHAMPION}, if there is one",
    ),
]


@survey_options
def inspect(
    options: SurveyOptions,
    file: Annotated[Path, typer.Argument(help="SEG-Y, a zarr store, or .npy.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder to cache the trace headers in.")] = None,
    crops: Crops = None,
    model: Model = None,
) -> None:
    """Show what a survey file holds, what is wrong with it, and how close it is to training."""
    print(_inspected(file, options, out, model, crops, as_json))


def _inspected(
    file: Path,
    options: SurveyOptions,
    out: Path | None,
    model: str | None,
    crops: Path | None,
    as_json: bool,
) -> str:
    from saltseg.seismic.bucket import located
    from saltseg.seismic.inspection import inspect as inspect_survey
    from saltseg.seismic.inspection_text import describe
    from saltseg.seismic.opening import check_options, open_survey

    file = located(file)
    check_options(file, options)
    with open_survey(file, options, out) as survey:
        facts = inspect_survey(survey, _learned(model, crops))
    return json.dumps(facts, indent=2, allow_nan=False) if as_json else describe(facts)


def _learned(model: str | None, crops: Path | None) -> "LearnedCrops":
    """Return the given crops, or the champion's, or this checkout's, or the embedded survey's."""
    from saltseg.seismic.learned_crops import describe_crops, survey_crops
    from saltseg.tracking.address import has_store

    if crops is not None:
        return describe_crops(crops)
    if model is not None:
        return _crops_of(model)
    with suppress(InputError):  # no champion; the table says what it compares with
        if has_store(Layout(Path()).mlruns):
            return _crops_of(CHAMPION)
    ingested = Layout(Path()).data("ingest") / "train_images.npy"
    return describe_crops(ingested) if ingested.exists() else survey_crops()


def _crops_of(model: str) -> "LearnedCrops":
    from saltseg.project.model_folder import find_model, read_settings
    from saltseg.seismic.learned_crops import LearnedCrops, statistics_of
    from saltseg.serving.image_prediction import fetched

    with fetched(model, Path()) as folder:
        found = read_settings(find_model(folder)).get("crops")
    if found is None:
        raise InputError(f"{model}: has no statistics of its crops; give some with --crops")
    return LearnedCrops(f"crops of {model}", statistics_of(found))
