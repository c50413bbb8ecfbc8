"""Which header bytes hold a survey's geometry: what is named, or what is obvious."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.coordinates import find_coordinates, fit_frame
from saltseg.seismic.grid import Grid, Placement, line_of, place
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.trace_table import CDP, OFFSET, TraceTable

STANDARD = (189, 193)
PAIRS = (STANDARD, (5, 21), (9, 13), (221, 225), (9, 21), (17, 13))
"""Where inline and crossline are found in practice, the standard's place first."""

WARN_DENSITY, STOP_DENSITY = 2, 10
"""Places for each trace from which on a grid is doubtful, and certainly wrong (MDIO's figures)."""
DUPLICATES = 0.1
"""Share of traces at places of others up to which the bytes are still believed."""
_CONFIRMED = 0.5
"""Bins by which traces may lie off a regular grid whose bytes their coordinates confirm."""


@dataclass(frozen=True)
class Geometry:
    """A grid, the bytes that it comes from, and what is to be said of them.

    inline_byte is None for a 2D line, whose numbers come from crossline_byte.
    """

    grid: Grid
    inline_byte: int | None
    crossline_byte: int
    notes: tuple[str, ...]


class GeometryFinder:
    """Finds the geometry of one file."""

    def __init__(self, path: Path, table: TraceTable, options: SurveyOptions) -> None:
        """Look for it in a table of trace headers."""
        self.path = path
        self.table = table
        self.options = options
        self.notes: list[str] = []

    def find(self) -> Geometry:
        """Return the geometry. Raises InputError where it is wrong, or none is obvious."""
        options = self.options
        if options.cdp_byte is not None:
            return self._line(options.cdp_byte)
        if options.inline_byte is not None or options.crossline_byte is not None:
            pair = options.inline_byte or STANDARD[0], options.crossline_byte or STANDARD[1]
            return self._named(pair, self._placement(pair))
        return self._obvious()

    def _placement(self, pair: tuple[int, int]) -> Placement:
        return place(self.table.values(pair[0]), self.table.values(pair[1]))

    def _named(self, pair: tuple[int, int], placement: Placement) -> Geometry:
        """Return the geometry by a pair that is believed; InputError says why it cannot be."""
        if placement.is_constant and placement.traces > 1:
            raise self._ask(f"bytes {pair[0]} and {pair[1]} are the same in all traces")
        if min(placement.row_count, placement.column_count) == 1 or _is_slanted(placement):
            return self._line_of_pair(pair, placement)
        if placement.duplicates:
            self._check_duplicates(pair, placement)
        if placement.density > STOP_DENSITY:
            raise self._sparse(pair, placement)
        if placement.density > WARN_DENSITY:
            self.notes.append(
                f"the grid of bytes {pair[0]} and {pair[1]} has {placement.places:,} places for"
                f" {placement.unique:,} traces, {placement.density:.1f} for each: are they right?"
            )
        return Geometry(placement.grid(), *pair, tuple(self.notes))

    def _obvious(self) -> Geometry:
        standard = self._placement(STANDARD)
        if _is_grid(standard, WARN_DENSITY):
            return self._named(STANDARD, standard)
        others = [grid for grid in self._grids() if not self._alike(STANDARD, grid[0])]
        if others and _is_grid(standard, STOP_DENSITY):
            return self._thin(standard, others[0][0])
        for number, (pair, _) in enumerate(others):
            for other, _ in others[:number]:
                if not self._alike(pair, other):
                    raise self._ask(
                        f"bytes {other[0]} and {other[1]} make a grid, and so do others,"
                        f" {pair[0]} and {pair[1]}"
                    )
        if others:
            pair, placement = others[0]
            self.notes.append(
                f"bytes {STANDARD[0]} and {STANDARD[1]} hold no grid; inline taken from byte"
                f" {pair[0]}, crossline from byte {pair[1]}"
            )
            return self._named(pair, placement)
        self._refuse_gathers()
        return self._without_dense_grid(standard)

    def _thin(self, standard: Placement, denser: tuple[int, int]) -> Geometry:
        """Return the thin grid of the standard's bytes where coordinates confirm it; else ask.

        An oblique outline leaves most of a right grid empty, and numbers within each line fill one
        that is sheared.
        """
        thin = (
            f"bytes {STANDARD[0]} and {STANDARD[1]} make a grid of {standard.density:.1f} places"
            " for each trace"
        )
        if not self._is_regular(standard):
            raise self._ask(
                f"{thin}, bytes {denser[0]} and {denser[1]} a denser one, and no coordinates"
                " confirm the first"
            )
        self._check_duplicates(STANDARD, standard)
        self.notes.append(
            f"{thin}, which coordinates confirm; the denser one of bytes {denser[0]} and"
            f" {denser[1]} is left out"
        )
        return Geometry(standard.grid(), *STANDARD, tuple(self.notes))

    def _is_regular(self, placement: Placement) -> bool:
        """Tell whether coordinates put all traces within half a bin of where the grid has them."""
        at, grid = find_coordinates(self.table, self.options), placement.grid()
        frame = None if at is None else fit_frame(grid, at.x, at.y)
        if frame is None:
            return False
        inline, crossline = (int(np.diff(n).min()) for n in (grid.inlines, grid.crosslines))
        bins = np.hypot(*frame.inline_step) * inline, np.hypot(*frame.crossline_step) * crossline
        return bool(frame.residual < _CONFIRMED * min(bins))

    def _without_dense_grid(self, standard: Placement) -> Geometry:
        """Return a thin grid at the standard's bytes, or the line that they or the CDPs tell of."""
        single = min(standard.row_count, standard.column_count) == 1
        if not single or standard.is_line or self.table.count == 1:
            return self._named(STANDARD, standard)
        if not self.table.columns[CDP].constant:
            return self._line(CDP)
        if standard.is_constant:
            raise self._ask("neither inline and crossline nor CDP (byte 21) tell the traces apart")
        return self._line_of_pair(STANDARD, standard)

    def _grids(self) -> Iterator[tuple[tuple[int, int], Placement]]:
        for pair in PAIRS[1:]:
            if any(self.table.columns[byte].constant for byte in pair):
                continue
            placement = self._placement(pair)
            if _is_grid(placement, WARN_DENSITY):
                yield pair, placement

    def _alike(self, pair: tuple[int, int], other: tuple[int, int]) -> bool:
        """Tell whether two pairs put traces in the same order, whatever they number."""
        return all(
            np.array_equal(_ranks(self.table.values(one)), _ranks(self.table.values(two)))
            for one, two in zip(pair, other, strict=True)
        )

    def _line(self, byte: int) -> Geometry:
        """Return a 2D line in the order of its CDPs, or in the file's where these repeat."""
        numbers = self.table.values(byte)
        placement = place(np.zeros_like(numbers), numbers)
        traces = np.arange(self.table.count)
        if placement.repeated is None:
            traces = np.argsort(numbers, kind="stable")
        else:
            self._refuse_gather(byte, placement)
            later, earlier = placement.repeated
            self.notes.append(
                f"CDP {numbers[later]:,} (byte {byte}) occurs twice, in traces {earlier + 1:,}"
                f" and {later + 1:,}: the line keeps the file's order"
            )
        inline = self.table.first(STANDARD[0]) if self.table.columns[STANDARD[0]].constant else 0
        return Geometry(line_of(numbers[traces], traces, inline), None, byte, tuple(self.notes))

    def _line_of_pair(self, pair: tuple[int, int], placement: Placement) -> Geometry:
        """Return the 2D line that 3D headers tell of, numbered by the one that changes."""
        byte = pair[1] if placement.column_count >= placement.row_count else pair[0]
        if self.table.count > 1:
            self.notes.append(
                f"every trace lies on one line by bytes {pair[0]} and {pair[1]}: read as 2D,"
                f" numbered by byte {byte}"
            )
        return self._line(byte)

    def _refuse_gathers(self) -> None:
        """Raise InputError where traces of several offsets lie at the standard places."""
        if not self.table.columns[OFFSET].constant:
            placement = self._placement(STANDARD)
            if not placement.is_constant and placement.duplicates > DUPLICATES * placement.traces:
                self._refuse_gather(STANDARD[0], placement)

    def _refuse_gather(self, byte: int, placement: Placement) -> None:
        if placement.repeated is None or self.table.columns[OFFSET].constant:
            return
        later = placement.repeated[0]
        inline, crossline = placement.inlines[later], placement.crosslines[later]
        here = (placement.inlines == inline) & (placement.crosslines == crossline)
        offsets = self.table.values(OFFSET)[here]
        if len(np.unique(offsets)) == 1:
            return
        where = (
            f"inline {inline:,}, crossline {crossline:,} (bytes 189 and 193)"
            if byte == STANDARD[0]
            else f"CDP {crossline:,} (byte {byte})"
        )
        raise InputError(
            f"{self.path}: {where} has {len(offsets):,} traces with offsets {offsets.min():,} to"
            f" {offsets.max():,} (byte 37): gathers, where post-stack data is needed; stack them"
        )

    def _check_duplicates(self, pair: tuple[int, int], placement: Placement) -> None:
        """Note a place with several traces; raise InputError where there are many."""
        if placement.repeated is None:
            return
        later, earlier = placement.repeated
        what = (
            f"inline {placement.inlines[later]:,}, crossline {placement.crosslines[later]:,} (bytes"
            f" {pair[0]} and {pair[1]}) occur twice, in traces {earlier + 1:,} and"
            f" {later + 1:,}"
        )
        if placement.duplicates <= DUPLICATES * placement.traces:
            self.notes.append(
                f"{what}; {placement.duplicates:,} traces lie where an earlier one does, which is"
                " taken"
            )
            return
        self._refuse_gather(STANDARD[0] if pair == STANDARD else pair[0], placement)
        raise InputError(
            f"{self.path}: {what}, and so on for {placement.duplicates:,} of {placement.traces:,}"
            " traces; name the bytes with --inline-byte and --crossline-byte, or for a 2D line"
            " --cdp-byte"
        )

    def _sparse(self, pair: tuple[int, int], placement: Placement) -> InputError:
        rows, columns = placement.rows, placement.columns
        return InputError(
            f"{self.path}: bytes {pair[0]} ({rows[0]:,} to {rows[-1]:,}) and {pair[1]}"
            f" ({columns[0]:,} to {columns[-1]:,}) make a grid of {placement.places:,} places for"
            f" {placement.unique:,} traces, {placement.density:,.0f} for each; name the bytes with"
            " --inline-byte and --crossline-byte, or for a 2D line --cdp-byte"
        )

    def _ask(self, why: str) -> InputError:
        ranges = []
        for byte in sorted({byte for pair in PAIRS for byte in pair}):
            values = self.table.values(byte)
            if len(values) and values.min() != values.max():
                ranges.append(f"byte {byte} runs from {values.min():,} to {values.max():,}")
        shown = ", ".join(ranges) or "no other known byte changes either"
        return InputError(
            f"{self.path}: {why}; {shown}; name the right ones with --inline-byte and"
            " --crossline-byte, or for a 2D line --cdp-byte (21 keeps the file's order)"
        )


def _is_grid(placement: Placement, density: float) -> bool:
    """Tell whether two numbers place the traces on a grid of several lines, none much repeated."""
    return (
        min(placement.row_count, placement.column_count) > 1
        and placement.duplicates <= DUPLICATES * placement.traces
        and placement.density <= density
        and not _is_slanted(placement)
    )


def _is_slanted(placement: Placement) -> bool:
    """Tell whether traces run slantwise through inlines and crosslines, one trace in each."""
    return placement.is_line and placement.row_count > 1 and placement.column_count > 1


def _ranks(values: Integers) -> Integers:
    ranks: Integers = np.unique(values, return_inverse=True)[1]
    return ranks
