"""`saltseg inspect`: what a survey's file holds."""

import json
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
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.seismic.options import Polarity, SurveyOptions


def inspect(
    file: Annotated[Path, typer.Argument(help="SEG-Y, a zarr store, or .npy.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder that keeps the trace headers, read once.")
    ] = None,
    crops: Annotated[
        Path | None,
        typer.Option(
            help="Crops to compare with, .npy.",
            show_default="data/ingest/train_images.npy, or the embedded survey's",
        ),
    ] = None,
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
    """Say what a survey's file holds, what it gets wrong, and whether models know its like."""
    with one_line_errors():
        options = SurveyOptions(
            inline_byte,
            crossline_byte,
            cdp_byte,
            x_byte,
            y_byte,
            sample_format,
            byte_order,
            interval,
            domain,
            unit,
            polarity,
            null,
            axes,
            whole_traces,
        )
        print(_inspected(file, options, out, crops, as_json))


def _inspected(
    file: Path, options: SurveyOptions, out: Path | None, crops: Path | None, as_json: bool
) -> str:
    from saltseg.seismic.inspection import inspect as inspect_survey
    from saltseg.seismic.inspection_text import describe
    from saltseg.seismic.learned_crops import describe_crops, survey_crops
    from saltseg.seismic.opening import open_survey

    ingested = Layout(Path()).data("ingest") / "train_images.npy"
    named = crops or (ingested if ingested.exists() else None)
    with open_survey(file, options, out) as survey:
        facts = inspect_survey(survey, describe_crops(named) if named else survey_crops())
    return json.dumps(facts, indent=2, allow_nan=False) if as_json else describe(facts)
