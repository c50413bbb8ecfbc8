"""Where traces lie on the map."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saltseg.seismic.columns import Integers
from saltseg.seismic.grid import NO_TRACE, Grid
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.sampling import scaled
from saltseg.seismic.spacing import evenly
from saltseg.seismic.trace_table import SCALAR, UNITS, Flags, TraceTable, live_traces

Metres = npt.NDArray[np.float64]

PLACES = ((181, 185), (73, 77), (81, 85), (201, 205))
"""Bytes of X and Y: the standard's of a CDP, of source and group, and others in use."""
_FITTED = 10_000
_ANGLES = {2: "seconds of arc", 3: "decimal degrees", 4: "degrees, minutes, seconds"}


@dataclass(frozen=True)
class Coordinates:
    """X and Y of all traces in the file's order, float64 (traces,), scalars applied.

    Both are NaN for traces that have none. bytes: where they come from; None for files that are no
    SEG-Y. scalar, units: bytes 71 and 89 of the first trace that has coordinates.
    """

    x: Metres
    y: Metres
    bytes: tuple[int, int] | None
    scalar: int
    units: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """How a grid lies on the map: x, y = origin + inline_step * (il - il0) + crossline_step * ...

    origin: of the first inline and crossline. The steps are (x, y) of one inline and one crossline
    further in number. residual: the largest distance of a trace from it, in the map's unit.
    """

    origin: tuple[float, float]
    inline_step: tuple[float, float]
    crossline_step: tuple[float, float]
    residual: float

    @property
    def rotation(self) -> float:
        """Return the angle from north to the inlines' direction, in radians clockwise."""
        return float(np.arctan2(*self.crossline_step) % (2 * np.pi))


def find_coordinates(table: TraceTable, options: SurveyOptions) -> Coordinates | None:
    """Return the coordinates of SEG-Y traces; None where no known bytes hold any."""
    notes: list[str] = []
    live = live_traces(table)
    pair = _bytes(table, options, live, notes)
    if pair is None:
        return None
    factors = scaled(table.values(SCALAR))
    x, y = (table.values(byte) * factors for byte in pair)
    placed = _placed(x, y, live)
    notes += _left_out(placed, live, pair)
    first = int(placed.argmax())
    scalar, units = (int(table.values(byte)[first]) for byte in (SCALAR, UNITS))
    if units in _ANGLES:
        notes.append(f"coordinates are {_ANGLES[units]} (byte 89 is {units}), not lengths")
    x, y = (np.where(placed, values, np.nan) for values in (x, y))
    return Coordinates(x, y, pair, scalar, units, tuple(notes))


def _bytes(
    table: TraceTable, options: SurveyOptions, live: Flags, notes: list[str]
) -> tuple[int, int] | None:
    """Return the bytes that are named, or the first of PLACES that differ from trace to trace."""
    if options.x_byte is not None or options.y_byte is not None:
        return options.x_byte or PLACES[0][0], options.y_byte or PLACES[0][1]
    pair = next((place for place in PLACES if _is_filled(table, place, live)), None)
    if pair not in (None, PLACES[0]):
        notes.append(
            f"bytes 181 and 185 hold no coordinates: x taken from byte {pair[0]}, y from byte"
            f" {pair[1]}"
        )
    return pair


def _is_filled(table: TraceTable, pair: tuple[int, int], live: Flags) -> bool:
    varied = (table.values(byte)[live] for byte in pair if not table.columns[byte].constant)
    return any((values != values[0]).any() for values in varied)


def _placed(x: Metres, y: Metres, live: Flags) -> Flags:
    """Tell which traces have coordinates: not those flagged dead, nor padding at 0, 0.

    A single live trace at 0, 0 has them if the others lie no farther from there than they extend:
    it is where a survey in coordinates of its own begins.
    """
    zero = live & (x == 0) & (y == 0)
    others = live & ~zero
    if not zero.any() or not others.any():
        return live
    ranges = [(values[others].min(), values[others].max()) for values in (x, y)]
    away = np.hypot(*(max(low, -high, 0) for low, high in ranges))
    if zero.sum() == 1 and away <= np.hypot(*(high - low for low, high in ranges)):
        return live
    return others


def _left_out(placed: Flags, live: Flags, pair: tuple[int, int]) -> list[str]:
    if placed.all():
        return []
    dead, empty = (~live).sum(), (live & ~placed).sum()
    why = [f"{dead:,} flagged dead (byte 29)"] if dead else []
    why += [f"{empty:,} with 0 in bytes {pair[0]} and {pair[1]}"] if empty else []
    return [f"coordinates: not taken from {' and '.join(why)} of {len(live):,} traces"]


def fit_frame(grid: Grid, x: Metres, y: Metres) -> Frame | None:
    """Fit the frame of a 3D grid by least squares; None for a line, or where traces do not span it.

    x, y: float64 (traces,), NaN where unknown. At most 10,000 traces that have them are looked at,
    evenly over the grid.
    """
    if grid.line:
        return None
    rows, columns = np.nonzero(_known(x, y, grid.traces))
    chosen = evenly(len(rows), _FITTED)
    rows, columns = rows[chosen], columns[chosen]
    traces = grid.traces[rows, columns]
    inlines = grid.inlines[rows] - grid.inlines[0]
    crosslines = grid.crosslines[columns] - grid.crosslines[0]
    design = np.stack([np.ones(len(rows)), inlines, crosslines], axis=1)
    known = np.stack([x[traces], y[traces]], axis=1)
    if len(rows) < 3 or np.linalg.matrix_rank(design) < 3:
        return None
    found = np.linalg.lstsq(design, known, rcond=None)[0]
    residual = float(np.hypot(*(known - design @ found).T).max())
    origin, inline, crossline = ((float(a), float(b)) for a, b in found)
    return Frame(origin, inline, crossline, residual)


def along(x: Metres, y: Metres, traces: Integers) -> Metres:
    """Return the distance of traces from the first along their path, float64.

    NaN where there is no trace, or it has no coordinates.
    """
    live = _known(x, y, traces)
    distances = np.full(len(traces), np.nan)
    steps = np.hypot(np.diff(x[traces[live]]), np.diff(y[traces[live]]))
    distances[live] = np.concatenate([[0.0], np.cumsum(steps)])[: live.sum()]
    return distances


def _known(x: Metres, y: Metres, traces: Integers) -> Flags:
    """Tell for which of `traces`, of any shape, coordinates are known."""
    return np.asarray((traces != NO_TRACE) & np.isfinite(x[traces]) & np.isfinite(y[traces]))
