"""`saltseg predict`: salt in images and surveys."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.cli.survey_options import survey_choices, survey_options
from saltseg.cli.survey_outputs import export
from saltseg.project.registered_model import CHAMPION
from saltseg.seismic.choices import SurveyChoices
from saltseg.seismic.options import SurveyOptions

Files = Annotated[
    list[Path],
    typer.Argument(help="Grey PNG, TIFF or .npy; or one survey: SEG-Y, a zarr store, .npy."),
]
Out = Annotated[Path, typer.Option(help="Folder for what is found.")]
Model = Annotated[str, typer.Option(help="A model in MLflow's registry, or the folder of one.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace what an earlier call wrote into the folder.")
]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Say what a survey will take, and stop.")
]
Ray = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Predict a survey on the nodes of this Ray cluster: HOST:PORT, or auto on a node.",
    ),
]


@survey_options
@survey_choices
def predict(
    options: SurveyOptions,
    choices: SurveyChoices,
    files: Files,
    out: Out,
    model: Model = CHAMPION,
    force: Force = False,
    estimate: Estimate = False,
    ray: Ray = None,
) -> None:
    """Find salt in images of any size, or in a survey."""
    if estimate and ray is not None:
        raise typer.BadParameter("--estimate measures this machine: leave --ray out")
    from saltseg.seismic.bucket import check_not_in_bucket, located
    from saltseg.seismic.store import PREDICTION
    from saltseg.serving.image_prediction import predict_files
    from saltseg.serving.survey_command import chosen_survey, run_survey

    check_not_in_bucket(out, "--out")
    files = [located(path) for path in files]
    survey = chosen_survey(files, options, choices, estimate, ray)
    if survey is None:
        predict_files(files, model, out, choices.depth, Path(), force)
    elif run_survey(survey, model, out, options, choices, estimate, force, Path(), ray):
        export(out / PREDICTION, out, survey, force=force)
