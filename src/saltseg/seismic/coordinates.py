"""Where traces lie on the map."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saltseg.seismic.columns import Integers
from saltseg.seismic.grid import NO_TRACE, Grid
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.sampling import scaled
from saltseg.seismic.spacing import evenly
from saltseg.seismic.trace_table import SCALAR, UNITS, TraceTable

Metres = npt.NDArray[np.float64]

PLACES = ((181, 185), (73, 77), (81, 85), (201, 205))
"""Bytes of X and Y: the standard's of a CDP, of source and group, and others in use."""
_FITTED = 10_000
_ANGLES = {2: "seconds of arc", 3: "decimal degrees", 4: "degrees, minutes, seconds"}


@dataclass(frozen=True)
class Coordinates:
    """X and Y of all traces in the file's order, float64 (traces,), scalars applied.

    bytes: where they come from; None for files that are no SEG-Y. scalar: of the first trace.
    """

    x: Metres
    y: Metres
    bytes: tuple[int, int] | None
    scalar: int
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
    named = options.x_byte or PLACES[0][0], options.y_byte or PLACES[0][1]
    if options.x_byte is not None or options.y_byte is not None:
        pair = named
    else:
        filled = [place for place in PLACES if _is_filled(table, place)]
        if not filled:
            return None
        pair = filled[0]
        if pair != PLACES[0]:
            notes.append(
                f"bytes 181 and 185 hold no coordinates: x taken from byte {pair[0]}, y from byte"
                f" {pair[1]}"
            )
    factors = scaled(table.values(SCALAR))
    units = table.first(UNITS)
    if units in _ANGLES:
        notes.append(f"coordinates are {_ANGLES[units]} (byte 89 is {units}), not lengths")
    x, y = (table.values(byte) * factors for byte in pair)
    return Coordinates(x, y, pair, table.first(SCALAR), tuple(notes))


def _is_filled(table: TraceTable, pair: tuple[int, int]) -> bool:
    return not all(table.columns[byte].constant for byte in pair)


def fit_frame(grid: Grid, x: Metres, y: Metres) -> Frame | None:
    """Fit the frame of a 3D grid by least squares; None for a line, or where traces do not span it.

    x, y: float64 (traces,). At most 10,000 traces are looked at, evenly over the grid.
    """
    if grid.line:
        return None
    rows, columns = np.nonzero(grid.traces != NO_TRACE)
    chosen = evenly(len(rows), _FITTED)
    rows, columns = rows[chosen], columns[chosen]
    traces = grid.traces[rows, columns]
    inlines = grid.inlines[rows] - grid.inlines[0]
    crosslines = grid.crosslines[columns] - grid.crosslines[0]
    design = np.stack([np.ones(len(rows)), inlines, crosslines], axis=1)
    known = np.stack([x[traces], y[traces]], axis=1)
    if not np.isfinite(known).all() or np.linalg.matrix_rank(design) < 3:
        return None
    found = np.linalg.lstsq(design, known, rcond=None)[0]
    residual = float(np.hypot(*(known - design @ found).T).max())
    origin, inline, crossline = ((float(a), float(b)) for a, b in found)
    return Frame(origin, inline, crossline, residual)


def along(x: Metres, y: Metres, traces: Integers) -> Metres:
    """Return the distance of traces from the first along their path, float64; NaN without one."""
    live = traces != NO_TRACE
    distances = np.full(len(traces), np.nan)
    steps = np.hypot(np.diff(x[traces[live]]), np.diff(y[traces[live]]))
    distances[live] = np.concatenate([[0.0], np.cumsum(steps)])[: live.sum()]
    return distances
