"""The trace headers of a SEG-Y file as a table, read in one pass and kept beside the results."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.files import whole_file
from saltseg.plumbing.progress import progress
from saltseg.seismic.columns import Column, ColumnBuilder, Integers
from saltseg.seismic.file_bytes import FileBytes
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.sample_formats import order_code
from saltseg.seismic.segy_layout import TRACE_HEADER, SegyLayout

CACHE_NAME = "trace-headers.npz"
_BLOCK = 1 << 14
_SHOWN_FROM = 20
"""Blocks from which on progress is shown: fewer take a second."""

IDENTIFICATION, OFFSET, SCALAR, DELAY, SAMPLES, INTERVAL, TIME_SCALAR = (
    29,
    37,
    71,
    109,
    115,
    117,
    215,
)
CDP, UNITS = 21, 89
_DEAD = 2

Flags = npt.NDArray[np.bool_]

FIELDS: Mapping[int, str] = {
    5: "trace in file",
    9: "field record",
    13: "trace of record",
    17: "energy source point",
    CDP: "CDP",
    OFFSET: "offset",
    73: "source x",
    77: "source y",
    81: "group x",
    85: "group y",
    181: "CDP x",
    185: "CDP y",
    189: "inline",
    193: "crossline",
    197: "shotpoint",
    201: "",
    205: "",
    221: "",
    225: "",
}
"""Fields of four bytes that may tell a trace's place, with the standard's names."""

_SHORT = {
    IDENTIFICATION: "i2",
    SCALAR: "i2",
    UNITS: "i2",
    DELAY: "i2",
    SAMPLES: "u2",
    INTERVAL: "i2",
    TIME_SCALAR: "i2",
}
"""Fields of two bytes."""


@dataclass(frozen=True)
class TraceTable:
    """Header fields of all traces in the file's order, by the byte at which they begin."""

    count: int
    columns: Mapping[int, Column]

    def values(self, byte: int) -> Integers:
        """Return a field of all traces, int64 (traces,)."""
        return self.columns[byte].values()

    def first(self, byte: int) -> int:
        """Return a field of the first trace."""
        column = self.columns[byte]
        head = column.rest[: int(column.widths[0])]
        return int(column.least[0]) + int.from_bytes(head.tobytes(), "little")


def live_traces(table: TraceTable) -> Flags:
    """Tell which traces are not flagged dead (byte 29), bool (traces,).

    All are live where every one is flagged: then the flag says nothing.
    """
    live = table.values(IDENTIFICATION) != _DEAD
    return live if live.any() else np.ones_like(live)


def read_table(
    file: FileBytes, layout: SegyLayout, options: SurveyOptions, folder: Path | None
) -> TraceTable:
    """Return the table of a file: as kept in `folder` if it is of this very file, or read again.

    A table that is read again is kept there; None keeps none. Raises InputError where the file
    cannot be read or `folder` not be written to.
    """
    fields = _fields(options)
    key = _key(file, layout, fields)
    if folder is not None:
        kept = _load(folder / CACHE_NAME, key, layout.traces, fields)
        if kept is not None:
            return kept
    table = _scan(file, layout, fields)
    if folder is not None:
        _save(folder / CACHE_NAME, key, table)
    return table


def _fields(options: SurveyOptions) -> dict[int, str]:
    """Return numpy's code of each field that is read."""
    named = (
        options.inline_byte,
        options.crossline_byte,
        options.cdp_byte,
        options.x_byte,
        options.y_byte,
    )
    four = sorted(set(FIELDS) | {byte for byte in named if byte is not None and byte not in _SHORT})
    return dict.fromkeys(four, "i4") | _SHORT


def _scan(file: FileBytes, layout: SegyLayout, fields: dict[int, str]) -> TraceTable:
    builders = {byte: ColumnBuilder(_BLOCK) for byte in fields}
    order = order_code(layout.header.order)
    starts = range(0, layout.traces, _BLOCK)
    blocks = (
        progress(starts, "trace headers", len(starts)) if len(starts) >= _SHOWN_FROM else starts
    )
    for start in blocks:
        traces = range(start, min(start + _BLOCK, layout.traces))
        headers = file.read_rows([layout.offset(trace) for trace in traces], TRACE_HEADER)
        for byte, code in fields.items():
            builders[byte].append(field_values(headers, byte, order + code))
    columns = {byte: builder.column() for byte, builder in builders.items()}
    return TraceTable(layout.traces, columns)


def field_values(headers: npt.NDArray[np.uint8], byte: int, code: str) -> Integers:
    """Return a field of trace headers, int64 (traces,); headers: uint8 (traces, 240)."""
    width = np.dtype(code).itemsize
    raw = np.ascontiguousarray(headers[:, byte - 1 : byte - 1 + width])
    return raw.view(code)[:, 0].astype(np.int64)


def _key(file: FileBytes, layout: SegyLayout, fields: dict[int, str]) -> str:
    """Return what a kept table has to be of: size, time, and a hash of headers."""
    hashed = hashlib.sha256(layout.header.content)
    for trace in sorted({0, layout.traces // 2, layout.traces - 1}):
        hashed.update(file.read(layout.offset(trace), TRACE_HEADER))
    facts = {
        "size": file.size,
        "modified": file.modified,
        "headers": hashed.hexdigest(),
        "order": layout.header.order.value,
        "traces": [layout.start, layout.trace_bytes, layout.traces, _BLOCK],
        "fields": {str(byte): code for byte, code in fields.items()},
    }
    return json.dumps(facts, sort_keys=True)


def _save(path: Path, key: str, table: TraceTable) -> None:
    arrays: dict[str, npt.NDArray[Any]] = {"key": np.array(key)}
    for byte, column in table.columns.items():
        arrays |= {f"{byte}.least": column.least, f"{byte}.widths": column.widths}
        arrays[f"{byte}.rest"] = column.rest
    with whole_file(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def _load(path: Path, key: str, count: int, fields: dict[int, str]) -> TraceTable | None:
    """Return a kept table; None where there is none, or it is damaged, or of another file."""
    try:
        with np.load(path) as kept:
            if str(kept["key"]) != key:
                return None
            columns = {
                byte: Column(
                    count,
                    _BLOCK,
                    *(kept[f"{byte}.{part}"] for part in ("least", "widths", "rest")),
                )
                for byte in fields
            }
    except Exception:  # zip and npy report damage by a dozen errors
        return None
    whole = all(column.is_whole() for column in columns.values())
    return TraceTable(count, columns) if whole else None
