"""Writing lines and volumes of the survey as SEG-Y that any seismic software can open."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import whole_file
from saltseg.survey.grid import Field, Mask

LINE_SPACING = 1000
"""Feet between two sections on the map: far apart, since they are unrelated."""


@dataclass(frozen=True)
class Lines:
    """The geometry of a file's traces, inline by inline.

    inlines, crosslines: their numbers. x, y: coordinates in feet, shape (inlines, crosslines).
    scalar: SEG-Y's coordinate scalar: -100 for coordinates stored in hundredths.
    """

    inlines: range
    crosslines: range
    samples: int
    top_depth: int
    """Depth of the first sample in feet; samples are a foot apart."""
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    scalar: int

    @property
    def traces(self) -> int:
        """Number of traces."""
        return len(self.inlines) * len(self.crosslines)


def require_segyio() -> ModuleType:
    """Return the library segyio. Raises InputError that says how to install it."""
    try:
        import segyio
    except ImportError as error:
        raise InputError(
            "segyio: is not installed, and SEG-Y needs it; run"
            f" {sys.executable} -m pip install segyio, or leave out --segy"
        ) from error
    module: ModuleType = segyio
    return module


def write_line(
    path: Path, values: Field | Mask, section: int, top_depth: int, spacing: float, content: str
) -> None:
    """Write a section as a SEG-Y file of one inline.

    values: shape (samples, traces), a sample a foot of depth. section: its number, and that of the
    inline; crosslines are the columns. top_depth: feet to the first sample. spacing: feet
    between traces. content: what the values are, for the textual header. Raises InputError where
    segyio is missing or the file cannot be written.
    """
    samples, traces = values.shape
    x = spacing * np.arange(traces, dtype=np.float64)[None]
    place = (range(section, section + 1), range(traces), samples, top_depth)
    lines = Lines(*place, x, np.full_like(x, LINE_SPACING * section), scalar=-100)
    title = f"SALTSEG SYNTHETIC SURVEY, SECTION {section}"
    with open_segy(path, lines, title, content) as file:
        file.write(values.T[None])


class SegyFile:
    """A SEG-Y file being written, inline by inline."""

    def __init__(self, segyio: ModuleType, file: Any, lines: Lines) -> None:  # noqa: ANN401
        """Take a file of segyio, open for writing."""
        self._segyio = segyio
        self._file = file
        self._lines = lines
        self._written = 0

    def write(self, values: npt.NDArray[Any]) -> None:
        """Append inlines, shape (inlines, crosslines, samples)."""
        for inline in values:
            for trace in np.ascontiguousarray(inline, dtype=np.float32):
                self._file.header[self._written] = self._header(self._written)
                self._file.trace[self._written] = trace
                self._written += 1

    def _header(self, trace: int) -> dict[int, int]:
        lines, field = self._lines, self._segyio.TraceField
        row, column = divmod(trace, len(lines.crosslines))
        fine = -lines.scalar if lines.scalar < 0 else 1
        return {
            field.TRACE_SEQUENCE_LINE: column + 1,
            field.TRACE_SEQUENCE_FILE: trace + 1,
            field.FieldRecord: 1,
            field.TraceNumber: column + 1,
            field.CDP: trace + 1,
            field.CDP_TRACE: 1,
            field.TraceIdentificationCode: 1,  # seismic data
            field.SourceGroupScalar: lines.scalar,
            field.DelayRecordingTime: lines.top_depth,
            field.TRACE_SAMPLE_COUNT: lines.samples,
            field.TRACE_SAMPLE_INTERVAL: 1000,
            field.CDP_X: round(lines.x[row, column] * fine),
            field.CDP_Y: round(lines.y[row, column] * fine),
            field.CoordinateUnits: 1,  # length
            field.INLINE_3D: lines.inlines[row],
            field.CROSSLINE_3D: lines.crosslines[column],
        }


@contextmanager
def open_segy(path: Path, lines: Lines, title: str, content: str) -> Iterator[SegyFile]:
    """Open a SEG-Y file, revision 1, big-endian IEEE float32, to write all its inlines.

    Numbers of inline and crossline lie in bytes 189-192 and 193-196, CDP x and y in 181-188, their
    scalar in 71-72, feet to the first sample in 109-110. Nothing is left where the block fails.
    Raises InputError where segyio is missing or the file cannot be written.
    Source: SEG-Y_r1, SEG Technical Standards Committee (2002).
    """
    segyio = require_segyio()
    spec = segyio.spec()
    spec.format = segyio.SegySampleFormat.IEEE_FLOAT_4_BYTE
    spec.sorting = segyio.TraceSortingFormat.INLINE_SORTING
    spec.ilines, spec.xlines = list(lines.inlines), list(lines.crosslines)
    spec.samples = lines.top_depth + np.arange(lines.samples, dtype=np.float64)
    with whole_file(path) as temporary, segyio.create(str(temporary), spec) as file:
        file.text[0] = segyio.tools.create_text_header(_text(lines, title, content))
        file.bin.update(_binary_header(segyio, lines))
        yield SegyFile(segyio, file, lines)


def _text(lines: Lines, title: str, content: str) -> dict[int, str]:
    """Return the lines of the textual header by number."""
    numbers = {
        "INLINE": (lines.inlines, "BYTES 189-192"),
        "CROSSLINE": (lines.crosslines, "BYTES 193-196"),
    }
    places = [
        f"{name}: {where}, {values[0]} TO {values[-1]}" for name, (values, where) in numbers.items()
    ]
    corners = {
        14 + number: f"INLINE {lines.inlines[row]} CROSSLINE {lines.crosslines[column]}:"
        f" X {lines.x[row, column]:.2f} Y {lines.y[row, column]:.2f}"
        for number, (row, column) in enumerate([(0, 0), (0, -1), (-1, 0), (-1, -1)])
    }
    return {
        1: title,
        2: f"CONTENT: {content}",
        3: "NOT FIELD DATA: MADE BY A COMPUTER, FREE OF ANY SURVEY'S RIGHTS",
        5: f"VERTICAL AXIS: DEPTH, FIRST SAMPLE AT {lines.top_depth} FT, INTERVAL 1 FT",
        6: f"SAMPLES: {lines.samples} A TRACE, 4-BYTE IEEE FLOAT, BIG-ENDIAN",
        7: places[0],
        8: places[1],
        9: f"CDP X: BYTES 181-184    CDP Y: BYTES 185-188    UNITS: FT, SCALAR {lines.scalar}",
        10: "FIRST SAMPLE: BYTES 109-110, FT    INTERVAL: BYTES 117-118, 1/1000 FT",
        12: "COORDINATES: LOCAL, OF NO MAP PROJECTION",
        13: "CORNERS (FT)",
        **corners,
        39: "SEG Y REV1",
        40: "END TEXTUAL HEADER",
    }


def _binary_header(segyio: ModuleType, lines: Lines) -> dict[int, int]:
    field = segyio.BinField
    return {
        field.LineNumber: lines.inlines[0],
        field.Traces: 1,  # of an ensemble; segyio's own entry is all of the file
        field.AuxTraces: 0,
        field.EnsembleFold: 1,
        field.SortingCode: 4,  # horizontally stacked
        field.MeasurementSystem: 2,  # feet
        field.SEGYRevision: 1,
        field.TraceFlag: 1,  # all traces have the same length
    }
