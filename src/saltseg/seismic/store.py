"""A survey, and what is predicted on it, as a zarr store: chunks of a volume, read out of core.

Version 3 of zarr, sharded. The group holds, for a 3D survey of i inlines, c crosslines, s samples
(for a 2D line of t traces: shape (t, s), and (t,) in place of (i, c)):

| array | shape | dtype | |
|---|---|---|---|
| amplitude | (i, c, s) | float32 | where the store holds it |
| probability, disagreement | (i, c, s) | float16 | of salt, calibrated; see seismic.predictions |
| mask, live | (i, c, s) | bool | mask: salt. live: where there is data |
| body | (i, c, s) | int32 | number of the salt body, 0 outside |
| inline, crossline | (i,), (c,) | int64 | numbers of the lines; of a 2D line crossline (t,) |
| sample | (s,) | float64 | time or depth of the samples |
| trace | (i, c) | int64 | number of the trace in the file that the survey came from, or -1 |
| x, y | (i, c) | float64 | coordinates, if known; NaN where there are none |

Its attribute `saltseg` says: version, kind (2d, 3d), domain (time, depth or null), unit, interval,
first, line (the number of a 2D line), complete (false while it is being written), and whatever its
writer adds.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError, reason_of
from saltseg.seismic.columns import Integers
from saltseg.seismic.coordinates import Metres
from saltseg.seismic.grid import INLINE, NO_TRACE, Grid, line_of
from saltseg.seismic.no_data import Amplitudes
from saltseg.seismic.options import Domain, SurveyOptions
from saltseg.seismic.sampling import Sampling, unit_of
from saltseg.seismic.survey import Survey

if TYPE_CHECKING:
    import zarr

Selection = slice | Integers | tuple[int | slice | Integers, ...]

VERSION = 1
ATTRIBUTE = "saltseg"
PREDICTION = "prediction.zarr"
"""The name of the store that `saltseg predict` writes."""
PREDICTED = ("probability", "mask", "disagreement", "live")
"""What it holds."""
DTYPES: Mapping[str, str] = {
    "amplitude": "float32",
    "probability": "float16",
    "disagreement": "float16",
    "mask": "bool",
    "live": "bool",
    "body": "int32",
}
CHUNK, SHARD = 64, 256
"""Samples of a chunk and of a shard along each axis: sections along any are read alike."""


def create_store(
    path: Path, survey: Survey, arrays: Iterable[str], facts: Mapping[str, object]
) -> "zarr.Group":
    """Begin a store of a survey's grid and samples, with empty `arrays` of DTYPES; not complete.

    facts: further JSON values for its attribute. What lies at `path` is not overwritten:
    raises InputError where something does, or the store cannot be written.
    """
    import zarr

    if path.exists():
        raise InputError(f"{path}: is there already; name another, or remove it")
    try:
        group = zarr.create_group(path, attributes={ATTRIBUTE: _facts(survey) | dict(facts)})
        names, places = _add_coordinates(group, survey)
        for name in arrays:
            _create(group, name, (*places, survey.sampling.count), (*names, "sample"))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written: {error.strerror}; free space or change the rights"
        ) from error
    return group


def _facts(survey: Survey) -> dict[str, Any]:
    grid, sampling = survey.grid, survey.sampling
    return {
        "version": VERSION,
        "kind": survey.kind,
        "domain": sampling.domain and sampling.domain.value,
        "unit": sampling.unit,
        "interval": sampling.interval,
        "first": sampling.first,
        "line": int(grid.inlines[0]) if grid.line else None,
        "complete": False,
    }


def _add_coordinates(
    group: "zarr.Group", survey: Survey
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Write what says where places and samples lie; return the names and sizes of the places."""
    grid = survey.grid
    places = grid.traces[0] if grid.line else grid.traces
    names = ("crossline",) if grid.line else ("inline", "crossline")
    _add(group, "sample", _samples(survey.sampling), ("sample",))
    _add(group, "trace", places, names)
    _add(group, "crossline", grid.crosslines, ("crossline",))
    if not grid.line:
        _add(group, "inline", grid.inlines, ("inline",))
    for name, values in (("x", survey.x), ("y", survey.y)):
        if values is not None:
            _add(group, name, np.where(places == NO_TRACE, np.nan, values[places]), names)
    return names, places.shape


def complete(group: "zarr.Group") -> None:
    """Say in a store that all of it is written."""
    facts = dict(group.attrs[ATTRIBUTE]) | {"complete": True}  # type: ignore[arg-type]
    group.attrs[ATTRIBUTE] = facts


def _samples(sampling: Sampling) -> npt.NDArray[np.float64]:
    return sampling.first + sampling.interval * np.arange(sampling.count, dtype=np.float64)


def _add(
    group: "zarr.Group", name: str, values: npt.NDArray[Any], dimensions: tuple[str, ...]
) -> None:
    group.create_array(name, data=np.ascontiguousarray(values), dimension_names=dimensions)


def _create(
    group: "zarr.Group", name: str, shape: tuple[int, ...], dimensions: tuple[str, ...]
) -> None:
    chunks = tuple(min(CHUNK, size) for size in shape)
    shards = tuple(
        min(SHARD // chunk, -(-size // chunk)) * chunk
        for chunk, size in zip(chunks, shape, strict=True)
    )
    group.create_array(
        name,
        shape=shape,
        dtype=DTYPES[name],
        chunks=chunks,
        shards=shards,
        dimension_names=dimensions,
    )


class StoredSurvey(Survey):
    """A zarr store of which one array is read. group: the store itself, with its other arrays."""

    def __init__(
        self, path: Path, group: "zarr.Group", options: SurveyOptions, array: str = "amplitude"
    ) -> None:
        """Take an open store; see open_store."""
        self.group = group
        self._name = array
        self.facts: dict[str, Any] = dict(group.attrs[ATTRIBUTE])  # type: ignore[arg-type]
        grid = self._grid()
        super().__init__(path, grid, self._sampling(options), self._position(grid), options)

    def raw(self, traces: Integers) -> Amplitudes:
        """Return amplitudes of traces, by their place in the grid, NaN where there is no data."""
        amplitudes = np.empty((len(traces), self.sampling.count), np.float32)
        rows, columns = np.unravel_index(traces, self.grid.traces.shape)
        for row in np.unique(rows):
            here = rows == row
            where = columns[here] if self.grid.line else (row, columns[here])
            amplitudes[here] = self._read(where)
        return amplitudes

    def raw_along(self, axis: str, number: int) -> tuple[Amplitudes, Integers]:
        """Read a section as one slab."""
        traces = self.grid.along(axis, number)
        if self.grid.line:
            return self._read(slice(None)), traces
        at = int(np.flatnonzero(self.grid.numbers(axis) == number)[0])
        return self._read((at,) if axis == INLINE else (slice(None), at)), traces

    def close(self) -> None:
        """Do nothing: a store keeps no file open."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Inlines, crosslines and samples; a line is one inline."""
        return (*self.grid.traces.shape, self.sampling.count)

    def block(
        self, name: str, rows: slice, columns: slice, samples: slice = slice(None)
    ) -> npt.NDArray[Any]:
        """Return a part of an array, shape (rows, columns, samples), also of a line."""
        array = self._array(name)
        if self.grid.line:
            return np.asarray(array[columns, samples])[None][rows]
        return np.asarray(array[rows, columns, samples])

    def stored_section(self, name: str, axis: str, number: int) -> npt.NDArray[Any]:
        """Return an array's section, shape (traces, samples). Raises KeyError without one."""
        self.grid.along(axis, number)
        if self.grid.line:
            return np.asarray(self._array(name)[...])
        at = int(np.flatnonzero(self.grid.numbers(axis) == number)[0])
        return np.asarray(self._array(name)[at] if axis == INLINE else self._array(name)[:, at])

    def _read(self, where: Selection) -> Amplitudes:
        amplitudes = np.asarray(self._array(self._name).oindex[where], np.float32)
        if "live" not in self.group:
            return amplitudes
        live = np.asarray(self._array("live").oindex[where], bool)
        return np.where(live, amplitudes, np.float32(np.nan))

    def _array(self, name: str) -> "zarr.Array[Any]":
        array: zarr.Array[Any] = self.group[name]  # type: ignore[assignment]
        return array

    def _whole(self, name: str, dtype: str) -> npt.NDArray[Any]:
        return np.asarray(self._array(name)[...], dtype)

    def _grid(self) -> Grid:
        crosslines, trace = self._whole("crossline", "int64"), self._whole("trace", "int64")
        places = np.where(trace == NO_TRACE, NO_TRACE, np.arange(trace.size).reshape(trace.shape))
        if self.facts["kind"] == "2d":
            return line_of(crosslines, places, int(self.facts["line"]))
        return Grid(self._whole("inline", "int64"), crosslines, places)

    def _sampling(self, options: SurveyOptions) -> Sampling:
        told, facts = options.domain, self.facts
        stored = Domain(facts["domain"]) if facts["domain"] else None
        as_stored = told in (None, stored) and options.unit is None
        unit = str(facts["unit"]) if as_stored else unit_of(told or stored, options.unit, "")
        count = self._array("sample").shape[0]
        interval = options.interval or float(facts["interval"])
        return Sampling(count, interval, float(facts["first"]), unit, told or stored)

    def _position(self, grid: Grid) -> tuple[Metres, Metres] | None:
        if "x" not in self.group:
            return None
        x, y = (self._whole(name, "float64").reshape(grid.traces.size) for name in ("x", "y"))
        return x, y


def open_store(
    path: Path, options: SurveyOptions, needed: Sequence[str] = ("amplitude",)
) -> StoredSurvey:
    """Open a store that holds the arrays `needed`; its sections are those of the first.

    Raises InputError where it is none of saltseg's, not whole, damaged, or lacks one of them.
    """
    group = _open_group(path, needed)
    lacking = [name for name in needed if name not in group]
    if lacking:
        raise InputError(
            f"{path}: holds no {' and no '.join(lacking)}; name a survey to"
            " read its amplitudes, or a store that 'saltseg predict' wrote to read a prediction"
        )
    try:
        return StoredSurvey(path, group, options, needed[0])
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise InputError(f"{path}: is damaged ({reason_of(error)}); write it again") from error


def _open_group(path: Path, needed: Sequence[str]) -> "zarr.Group":
    """Open a whole store of saltseg's; needed: what it should hold, for a word on what is none."""
    import zarr

    try:
        group = zarr.open_group(str(path), mode="r")  # as text it may be in a bucket
    except FileNotFoundError as error:
        raise InputError(f"{path}: {_no_store(path, needed)}") from error
    except Exception as error:  # zarr has an error for each way of being no store
        raise InputError(
            f"{path}: cannot be read as a zarr store ({reason_of(error)}); name a SEG-Y file, a"
            " store of saltseg, or an .npy"
        ) from error
    facts = group.attrs.get(ATTRIBUTE)
    if not isinstance(facts, dict) or facts.get("version") != VERSION:
        raise InputError(
            f"{path}: its attribute {ATTRIBUTE!r} is not that of a store of version {VERSION}; name"
            " a store that saltseg wrote"
        )
    if facts.get("complete") is not True:
        raise InputError(f"{path}: is not written to its end; run again what writes it")
    return group


def _no_store(path: Path, needed: Sequence[str]) -> str:
    """Return why a place is no store, and what to name in its stead."""
    if not path.exists():
        return "there is no such file; name a file that exists"
    what = "is a folder" if path.is_dir() else "is a file"
    if not set(needed) <= set(PREDICTED):
        return f"{what}, and no zarr store; name a SEG-Y file, a store of saltseg, or an .npy"
    predicted = path / PREDICTION
    there = str(predicted) if predicted.is_dir() else f"a {PREDICTION} of 'saltseg predict'"
    return f"{what}, not a store; name {there}"
