"""Labels as top and base of salt: the CSV that `saltseg predict` writes as horizons.

Columns `inline`, `crossline`, `top`, `base`; and those of OTHERS, which are not read.
A trace has a row for each interval of salt; top and base are times or depths as the survey has
them, both inside the salt. A row with neither says that a trace was interpreted and has no salt:
where there are such rows, traces without a row are not interpreted; where there are none, all
traces of a line that has a row are. On a 2D line `crossline` is the trace's number.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from saltseg.own.labels import Labels, sample_numbers
from saltseg.own.section import Label
from saltseg.own.tables import number_of, read_columns
from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.grid import CROSSLINE, INLINE
from saltseg.seismic.sampling import Sampling

COLUMNS = ("inline", "crossline", "top", "base")
OTHERS = ("x", "y", "body", "interval", "top_seen", "base_seen")

Interval = tuple[float, float]


class Horizons(Labels):
    """The intervals of salt of a file along one axis, by line and trace."""

    def __init__(self, path: Path, axis: str) -> None:
        """Read a file. Raises InputError where it is none."""
        super().__init__(path)
        self._by_line: dict[int, dict[int, list[Interval]]] = defaultdict(dict)
        self._sparse = False
        axes = (CROSSLINE, INLINE) if axis == CROSSLINE else (INLINE, CROSSLINE)
        for where, row in read_columns(path, COLUMNS, OTHERS):
            line, trace = (int(number_of(row[name], where, name, whole=True)) for name in axes)
            intervals = self._by_line[line].setdefault(trace, [])
            if row["top"] or row["base"]:
                intervals.append(_interval(row, where))
            else:
                self._sparse = True

    def lines(self) -> list[int]:
        """Return the lines that have a row."""
        return sorted(self._by_line)

    def label(self, line: int, traces: Integers, sampling: Sampling) -> Label:
        """Fill the intervals of a line; see Labels."""
        shape = (sampling.count, len(traces))
        known = self._by_line.get(line, {})
        salt, interpreted = np.zeros(shape, bool), np.zeros(shape, bool)
        missing = sorted(known.keys() - {int(trace) for trace in traces})
        if missing:
            raise InputError(
                f"{self.path}: line {line:,}: the survey has no trace {missing[0]:,} there; give"
                " inlines and crosslines as the survey numbers them"
            )
        for column, trace in enumerate(traces.tolist()):
            interpreted[:, column] = trace in known or (bool(known) and not self._sparse)
            for interval in known.get(trace, []):
                top, base = sample_numbers(np.array(interval), sampling).round().astype(int)
                salt[max(top, 0) : max(base + 1, 0), column] = True
        return Label(salt, interpreted)


def _interval(row: dict[str, str], where: str) -> Interval:
    top, base = (number_of(row[name], where, name) for name in ("top", "base"))
    if top > base:
        raise InputError(f"{where}: top {top:g} lies below base {base:g}; exchange them")
    return top, base
