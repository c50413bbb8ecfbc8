"""One section as a SEG-Y file, a 2D line that any seismic software opens."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import whole_file
from saltseg.survey.grid import Field, Mask

LINE_SPACING = 1000
"""Feet between two sections on the map: apart, as they have nothing to do with each other."""


def require_segyio() -> ModuleType:
    """Return the library segyio. Raises InputError, which says how to install it."""
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
    path: Path, values: Field | Mask, section: int, top_depth: int, content: str
) -> None:
    """Write a section as SEG-Y revision 1, big-endian IEEE float32, in segyio's default places.

    values: shape (samples, traces), a sample a foot of depth. section: its number. top_depth: feet
    to the first sample, in bytes 109-110 of each trace header. content: what the values are, for
    the textual header. Bytes 189-192 (inline) hold the section's number, bytes 193-196 (crossline)
    the column; CDP x and y (181-188) are feet.
    Raises InputError where segyio is missing or the file cannot be written.
    Source: SEG-Y_r1, SEG Technical Standards Committee (2002).
    """
    segyio = require_segyio()
    spec = segyio.spec()
    spec.format = segyio.SegySampleFormat.IEEE_FLOAT_4_BYTE
    spec.sorting = segyio.TraceSortingFormat.INLINE_SORTING
    spec.ilines, spec.xlines = [section], np.arange(values.shape[1])
    spec.samples = top_depth + np.arange(len(values), dtype=np.float64)
    traces = np.ascontiguousarray(values.T, dtype=np.float32)
    with whole_file(path) as temporary, segyio.create(str(temporary), spec) as file:
        file.text[0] = segyio.tools.create_text_header(_text(section, top_depth, content))
        file.bin.update(_binary_header(segyio, section))
        for column, trace in enumerate(traces):
            place = _place(segyio, section, column)
            file.header[column] = place | _sampling(segyio, len(trace), top_depth)
            file.trace[column] = trace


def _text(section: int, top_depth: int, content: str) -> dict[int, str]:
    """Return the lines of the textual header by number."""
    return {
        1: f"SALTSEG SYNTHETIC SURVEY, SECTION {section}",
        2: f"CONTENT: {content}",
        3: "NOT FIELD DATA: MADE BY A COMPUTER, FREE OF ANY SURVEY'S RIGHTS",
        5: f"VERTICAL AXIS: DEPTH, FIRST SAMPLE AT {top_depth} FT, INTERVAL 1 FT",
        6: "SAMPLES: 4-BYTE IEEE FLOAT, BIG-ENDIAN",
        7: "INLINE (SECTION): BYTES 189-192    CROSSLINE (COLUMN): BYTES 193-196",
        8: "CDP X: BYTES 181-184    CDP Y: BYTES 185-188    UNITS: FT, SCALAR 1",
        9: "FIRST SAMPLE: BYTES 109-110, FT    INTERVAL: BYTES 117-118, 1/1000 FT",
        39: "SEG Y REV1",
        40: "END TEXTUAL HEADER",
    }


def _binary_header(segyio: ModuleType, section: int) -> dict[int, int]:
    field = segyio.BinField
    return {
        field.LineNumber: section,
        field.Traces: 1,  # of an ensemble; segyio's own entry is all of the file
        field.AuxTraces: 0,
        field.EnsembleFold: 1,
        field.SortingCode: 4,  # horizontally stacked
        field.MeasurementSystem: 2,  # feet
        field.SEGYRevision: 1,
        field.TraceFlag: 1,  # all traces have the same length
    }


def _place(segyio: ModuleType, section: int, column: int) -> dict[int, int]:
    field = segyio.TraceField
    return {
        field.TRACE_SEQUENCE_LINE: column + 1,
        field.TRACE_SEQUENCE_FILE: column + 1,
        field.FieldRecord: 1,
        field.TraceNumber: column + 1,
        field.CDP: column + 1,
        field.CDP_TRACE: 1,
        field.SourceGroupScalar: 1,
        field.CDP_X: column,
        field.CDP_Y: LINE_SPACING * section,
        field.CoordinateUnits: 1,  # length
        field.INLINE_3D: section,
        field.CROSSLINE_3D: column,
    }


def _sampling(segyio: ModuleType, samples: int, top_depth: int) -> dict[int, int]:
    field = segyio.TraceField
    return {
        field.TraceIdentificationCode: 1,  # seismic data
        field.DelayRecordingTime: top_depth,
        field.TRACE_SAMPLE_COUNT: samples,
        field.TRACE_SAMPLE_INTERVAL: 1000,
    }
