"""Options that correct what a survey file gets wrong, shared by all commands."""

from typing import Annotated

import typer

from saltseg.seismic.options import ByteOrder, Domain, LengthUnit, Polarity

_PLACE = "counted from 1 in the trace header."

InlineByte = Annotated[
    int | None, typer.Option(help=f"Byte of the inline number, {_PLACE}", show_default="189")
]
CrosslineByte = Annotated[
    int | None, typer.Option(help=f"Byte of the crossline number, {_PLACE}", show_default="193")
]
CdpByte = Annotated[
    int | None, typer.Option(help="Read a 2D line, numbered by this byte of the trace header.")
]
XByte = Annotated[int | None, typer.Option(help=f"Byte of x, {_PLACE}", show_default="181")]
YByte = Annotated[int | None, typer.Option(help=f"Byte of y, {_PLACE}", show_default="185")]
SampleFormat = Annotated[
    int | None,
    typer.Option("--format", help="SEG-Y sample format: 1 IBM, 5 IEEE, 3 two-byte integer, ..."),
]
Order = Annotated[ByteOrder | None, typer.Option("--byte-order", help="Order of a number's bytes.")]
Interval = Annotated[
    float | None, typer.Option(help="Sample interval in ms, or in the unit of depth.")
]
DomainOption = Annotated[
    Domain | None, typer.Option("--domain", help="What the samples run along.")
]
Unit = Annotated[LengthUnit | None, typer.Option(help="Unit of depth.")]
PolarityOption = Annotated[
    Polarity, typer.Option("--polarity", help="reversed: change the amplitudes' sign.")
]
Null = Annotated[
    float | None, typer.Option(help="A value that means no data, beside -999.25 and 1e30.")
]
Axes = Annotated[
    str | None, typer.Option(help="Axes of an .npy in its order: inline,crossline,sample.")
]
WholeTraces = Annotated[
    bool, typer.Option("--whole-traces", help="Read the whole traces of a file cut short.")
]
