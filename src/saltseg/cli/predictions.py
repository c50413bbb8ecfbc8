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


def predict(
    files: Annotated[
        list[Path],
        typer.Argument(help="Grey PNG, TIFF or .npy; or one survey: SEG-Y, a zarr store, .npy."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for what is found.")],
    model: Annotated[
        str, typer.Option(help="A model in MLflow's registry, or the folder of one.")
    ] = "models:/saltseg@champion",
    depth: Annotated[
        float | None, typer.Option(help="Depth in feet, for models that read it.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an earlier call wrote into the folder.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Say what a survey will take, and stop.")
    ] = False,
    along: Annotated[
        Along, typer.Option(help="Sections of a 3D survey to predict; both are averaged.")
    ] = _USUAL.along,
    members: Annotated[
        Members, typer.Option(help="fast: one network a member and fold, of averaged weights.")
    ] = _USUAL.members,
    tile: Annotated[int, typer.Option(help="Side of a survey's tiles, in pixels.")] = _USUAL.tile,
    sample_scale: Annotated[
        float, typer.Option(help="Samples to make of each one, as saltseg inspect advises.")
    ] = _USUAL.sample_scale,
    scale: Annotated[
        ScaleOf, typer.Option(help="Whose amplitudes fill the range of grey.")
    ] = _USUAL.scale,
    clip: Annotated[
        float, typer.Option(help="Percent of the largest amplitudes to clip.")
    ] = _USUAL.clip,
    gain: Annotated[
        int | None, typer.Option(help="Even out the strength by depth, over so many samples.")
    ] = _USUAL.gain,
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
        from saltseg.seismic.store import PREDICTION
        from saltseg.serving.image_prediction import predict_files
        from saltseg.serving.survey_command import chosen_survey, run_survey

        places = inline_byte, crossline_byte, cdp_byte, x_byte, y_byte
        samples = sample_format, byte_order, interval, domain, unit, polarity, null
        given = places + samples + (axes, whole_traces)
        options = SurveyOptions(*given)
        choices = SurveyChoices(along, members, tile, sample_scale, scale, clip, gain, depth)
        survey = chosen_survey(files, options, choices, estimate)
        if survey is None:
            predict_files(files, model, out, depth, Path(), force)
        elif run_survey(survey, model, out, options, choices, estimate, force, Path()):
            export(out / PREDICTION, out, survey, force=force)
