"""The grid that a survey's traces lie on, and which of its places have one."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from saltseg.seismic.columns import Integers

NO_TRACE = -1

INLINE, CROSSLINE, LINE = "inline", "crossline", "line"


@dataclass(frozen=True)
class Grid:
    """Places by inline and crossline, and the trace of each.

    inlines: int64 (i,), rising. crosslines: int64 (c,), rising. traces: int64 (i, c), the number of
    the trace in the file, from 0, or -1 where there is none. A 2D line has one inline, and for
    crosslines the numbers of its traces, which may repeat and need not rise.
    """

    inlines: Integers
    crosslines: Integers
    traces: Integers
    line: bool = False

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes along which sections may be asked for."""
        return (LINE,) if self.line else (INLINE, CROSSLINE)

    def numbers(self, axis: str) -> Integers:
        """Return the numbers of the sections along an axis. Raises KeyError for another axis."""
        return self.crosslines if self._index(axis) else self.inlines

    def across(self, axis: str) -> Integers:
        """Return the numbers of the places along one section of an axis."""
        return self.inlines if self._index(axis) else self.crosslines

    def along(self, axis: str, number: int) -> Integers:
        """Return the traces along one section, -1 where there is none. Raises KeyError."""
        found = np.flatnonzero(self.numbers(axis) == number)
        if not len(found):
            raise KeyError(number)
        return self.traces[:, found[0]] if self._index(axis) else self.traces[found[0]]

    def _index(self, axis: str) -> int:
        if axis not in self.axes:
            raise KeyError(axis)
        return 0 if self.line else self.axes.index(axis)

    @cached_property
    def count(self) -> int:
        """How many places have a trace."""
        return int((self.traces != NO_TRACE).sum())

    @property
    def places(self) -> int:
        """How many places the grid has."""
        return self.traces.size


@dataclass(frozen=True)
class Placement:
    """Traces laid out by two numbers each.

    unique: how many different pairs there are. repeated: the trace of the file, from 0, that first
    has the pair of an earlier one, and that one; None where no pair repeats.
    rows, columns: the numbers of the grid's axes, rising, gaps in a regular step filled.
    row_count, column_count: how many different numbers there are.
    """

    inlines: Integers
    crosslines: Integers
    rows: Integers
    columns: Integers
    row_count: int
    column_count: int
    unique: int
    repeated: tuple[int, int] | None

    @property
    def traces(self) -> int:
        """How many traces there are."""
        return len(self.inlines)

    @property
    def duplicates(self) -> int:
        """How many traces lie where an earlier one does."""
        return self.traces - self.unique

    @property
    def places(self) -> int:
        """How many places the grid has."""
        return len(self.rows) * len(self.columns)

    @property
    def density(self) -> float:
        """Places for each place that has a trace."""
        return self.places / max(self.unique, 1)

    @property
    def is_constant(self) -> bool:
        """Whether all traces have the same pair."""
        return self.row_count == self.column_count == 1

    @property
    def is_line(self) -> bool:
        """Whether traces lie in a row: each alone in its inline, or in its crossline."""
        return max(self.row_count, self.column_count) == self.traces > 1

    def grid(self) -> Grid:
        """Return the grid; of several traces at one place, the first in the file has it."""
        shape = len(self.rows), len(self.columns)
        traces = np.full(shape, NO_TRACE, np.int64)
        row = np.searchsorted(self.rows, self.inlines[::-1])
        column = np.searchsorted(self.columns, self.crosslines[::-1])
        # Numpy assigns repeated places in order, so that the last one wins: the file's first.
        traces[row, column] = np.arange(self.traces)[::-1]
        return Grid(self.rows, self.columns, traces)


def place(inlines: Integers, crosslines: Integers) -> Placement:
    """Lay traces out by inline and crossline, both int64 (traces,), in any order."""
    rows, row = np.unique(inlines, return_inverse=True)
    columns, column = np.unique(crosslines, return_inverse=True)
    keys = row * len(columns) + column
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(np.diff(keys[order]) == 0)
    repeated = None
    if len(same):
        later = int(order[same + 1].min())
        repeated = later, int(np.flatnonzero(keys == keys[later])[0])
    unique = len(inlines) - len(same)
    return Placement(
        inlines,
        crosslines,
        filled(rows),
        filled(columns),
        len(rows),
        len(columns),
        unique,
        repeated,
    )


def filled(numbers: Integers) -> Integers:
    """Return rising numbers with the gaps in their step filled.

    Where that would more than double them they lie irregularly, as the few interpreted lines of a
    survey do, and stay as they are.
    """
    if len(numbers) < 3:
        return numbers
    step = int(np.gcd.reduce(np.diff(numbers)))
    count = (int(numbers[-1]) - int(numbers[0])) // step + 1
    return numbers[0] + step * np.arange(count) if count <= 2 * len(numbers) else numbers


def line_of(numbers: Integers, traces: Integers, inline: int) -> Grid:
    """Return a 2D line; numbers: of its traces, both int64 (traces,)."""
    return Grid(np.array([inline], np.int64), numbers, traces[None], line=True)
