"""`saltseg predict`: salt in images and surveys."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.cli.survey_options import (
    Axes,
    CdpByte,
    CrosslineByte,
    DomainOption,
    InlineByte,
    Interval,
    Null,
    Order,
    PolarityOption,
    SampleFormat,
    Unit,
    WholeTraces,
    XByte,
    YByte,
)
from saltseg.cli.survey_outputs import export
from saltseg.plumbing.errors import one_line_errors
from saltseg.seismic.choices import Along, Members, ScaleOf, SurveyChoices
from saltseg.seismic.options import Polarity, SurveyOptions

_USUAL = SurveyChoices()


Files = Annotated[
    list[Path],
    typer.Argument(help="Grey PNG, TIFF or .npy; or one survey: SEG-Y, a zarr store, .npy."),
]
Out = Annotated[Path, typer.Option(help="Folder for what is found.")]
Model = Annotated[str, typer.Option(help="A model in MLflow's registry, or the folder of one.")]
Depth = Annotated[float | None, typer.Option(help="Depth in feet, for models that read it.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace what an earlier call wrote into the folder.")
]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Say what a survey will take, and stop.")
]
AlongAxes = Annotated[
    Along, typer.Option(help="Sections of a 3D survey to predict; both are averaged.")
]
MembersOf = Annotated[
    Members, typer.Option(help="fast: one network a member and fold, of averaged weights.")
]
Tile = Annotated[int, typer.Option(help="Side of a survey's tiles, in pixels.")]
SampleScale = Annotated[
    float, typer.Option(help="Samples to make of each one, as saltseg inspect advises.")
]
Scale = Annotated[ScaleOf, typer.Option(help="Whose amplitudes fill the range of grey.")]
Clip = Annotated[float, typer.Option(help="Percent of the largest amplitudes to clip.")]
Gain = Annotated[
    int | None, typer.Option(help="Even out the strength by depth, over so many samples.")
]


def predict(
    files: Files,
    out: Out,
    model: Model = "models:/saltseg@champion",
    depth: Depth = None,
    force: Force = False,
    estimate: Estimate = False,
    along: AlongAxes = _USUAL.along,
    members: MembersOf = _USUAL.members,
    tile: Tile = _USUAL.tile,
    sample_scale: SampleScale = _USUAL.sample_scale,
    scale: Scale = _USUAL.scale,
    clip: Clip = _USUAL.clip,
    gain: Gain = _USUAL.gain,
    inline_byte: InlineByte = None,
    crossline_byte: CrosslineByte = None,
    cdp_byte: CdpByte = None,
    x_byte: XByte = None,
    y_byte: YByte = None,
    sample_format: SampleFormat = None,
    byte_order: Order = None,
    interval: Interval = None,
    domain: DomainOption = None,
    unit: Unit = None,
    polarity: PolarityOption = Polarity.NORMAL,
    null: Null = None,
    axes: Axes = None,
    whole_traces: WholeTraces = False,
) -> None:
    """Find salt in images of any size, or in a survey."""
    with one_line_errors():
        places = inline_byte, crossline_byte, cdp_byte, x_byte, y_byte
        samples = sample_format, byte_order, interval, domain, unit, polarity, null
        given = places + samples + (axes, whole_traces)
        options = SurveyOptions(*given)
        choices = SurveyChoices(along, members, tile, sample_scale, scale, clip, gain, depth)
        _predict(files, model, out, options, choices, estimate, force)


def _predict(
    files: list[Path],
    model: str,
    out: Path,
    options: SurveyOptions,
    choices: SurveyChoices,
    estimate: bool,
    force: bool,
) -> None:
    from saltseg.seismic.store import PREDICTION
    from saltseg.serving.image_prediction import predict_files
    from saltseg.serving.survey_command import chosen_survey, run_survey

    survey = chosen_survey(files, options, choices, estimate)
    if survey is None:
        predict_files(files, model, out, choices.depth, Path(), force)
    elif run_survey(survey, model, out, options, choices, estimate, force, Path()):
        export(out / PREDICTION, out, survey, force=force)
