"""Options of the commands that read surveys: what corrects the file, and how it is predicted."""

from functools import partial
from typing import Annotated

import typer

from saltseg.cli.record_options import record_options
from saltseg.seismic.choices import Along, Members, ScaleOf, SurveyChoices
from saltseg.seismic.options import ByteOrder, Domain, LengthUnit, Polarity, SurveyOptions

_PLACE = "counted from 1 in the trace header."

_file = partial(typer.Option, rich_help_panel="What a survey's file gets wrong")
_way = partial(typer.Option, rich_help_panel="How a survey is predicted")

survey_options = record_options(
    "options",
    SurveyOptions,
    {
        "inline_byte": Annotated[
            int | None,
            _file(help=f"Byte of the inline number, {_PLACE}", show_default="189"),
        ],
        "crossline_byte": Annotated[
            int | None,
            _file(help=f"Byte of the crossline number, {_PLACE}", show_default="193"),
        ],
        "cdp_byte": Annotated[
            int | None, _file(help="Read a 2D line, numbered by this byte of the header.")
        ],
        "x_byte": Annotated[int | None, _file(help=f"Byte of x, {_PLACE}", show_default="181")],
        "y_byte": Annotated[int | None, _file(help=f"Byte of y, {_PLACE}", show_default="185")],
        "sample_format": Annotated[
            int | None,
            _file("--format", help="SEG-Y sample format: 1 IBM, 5 IEEE, 3 integer, ..."),
        ],
        "byte_order": Annotated[ByteOrder | None, _file(help="Order of the bytes of a number.")],
        "interval": Annotated[
            float | None, _file(help="Sample interval in ms, or in the unit of depth.")
        ],
        "domain": Annotated[Domain | None, _file(help="What the samples run along.")],
        "unit": Annotated[LengthUnit | None, _file(help="Unit of depth.")],
        "polarity": Annotated[Polarity, _file(help="reversed: change the sign of the amplitudes.")],
        "null": Annotated[
            float | None,
            _file(help="A further value that means no data, besides -999.25 and 1e30."),
        ],
        "axes": Annotated[
            str | None, _file(help="Axes of an .npy in its order: inline,crossline,sample.")
        ],
        "whole_traces": Annotated[
            bool, _file("--whole-traces", help="Read a file cut short, its whole traces.")
        ],
    },
)
"""Gives a command the fields of SurveyOptions as options, in its parameter `options`."""

survey_choices = record_options(
    "choices",
    SurveyChoices,
    {
        "depth": Annotated[float | None, _way(help="Depth in feet, for models that read it.")],
        "along": Annotated[
            Along, _way(help="Sections of a 3D survey to predict; both are averaged.")
        ],
        "members": Annotated[
            Members, _way(help="fast: one network a member and fold, of averaged weights.")
        ],
        "tile": Annotated[int, _way(help="Side of a survey's tiles, in pixels.")],
        "sample_scale": Annotated[
            float, _way(help="Samples to make of each one, as saltseg inspect advises.")
        ],
        "scale": Annotated[ScaleOf, _way(help="Whose amplitudes fill the range of grey.")],
        "clip": Annotated[float, _way(help="Percent of the largest amplitudes to clip.")],
        "gain": Annotated[
            int | None,
            _way(help="Even out the strength by depth, over so many samples."),
        ],
    },
)
"""Gives a command the fields of SurveyChoices as options, in its parameter `choices`."""
