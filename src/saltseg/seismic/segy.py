"""A survey in a SEG-Y file."""

from pathlib import Path

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.coordinates import find_coordinates
from saltseg.seismic.file_bytes import FileBytes
from saltseg.seismic.geometry import GeometryFinder
from saltseg.seismic.no_data import Amplitudes
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.sample_formats import decode
from saltseg.seismic.sampling import find_sampling
from saltseg.seismic.segy_layout import SegyLayout, read_layout
from saltseg.seismic.survey import Survey
from saltseg.seismic.trace_table import TraceTable, live_traces, read_table

_LONGEST_LINE = 1 << 28
"""Samples of a section that is read at once: 1 GiB of float32."""


class SegySurvey(Survey):
    """A SEG-Y file. geometry, coordinates: the bytes that they come from; table: its headers."""

    def __init__(self, file: FileBytes, options: SurveyOptions, folder: Path | None) -> None:
        """Read the headers of an open file; see open_segy."""
        layout = read_layout(file, options)
        table = read_table(file, layout, options, folder)
        self.geometry = GeometryFinder(file.path, table, options).find()
        at = self.coordinates = find_coordinates(table, options)
        placed = None if at is None else np.isfinite(at.x)
        sampled = find_sampling(file.path, layout, table, options, placed)
        notes = layout.notes + self.geometry.notes + sampled.notes + (at.notes if at else ())
        position = (at.x, at.y) if at else None
        super().__init__(
            *(file.path, self.geometry.grid, sampled.sampling, position, options, notes),
            unsigned=layout.header.sample_format.unsigned,
        )
        self.file = file
        self.layout: SegyLayout = layout
        self.table: TraceTable = table
        self.shifts = sampled.shifts
        self.flagged_dead = ~live_traces(table)
        self._check_length()

    def raw(self, traces: Integers) -> Amplitudes:
        """Return raw samples; traces flagged dead (byte 29 is 2) and what lies outside are NaN."""
        header = self.layout.header
        starts = self.layout.header_bytes + self.layout.start + traces * self.layout.trace_bytes
        content = self.file.read_rows(starts.tolist(), self.layout.sample_bytes)
        samples = decode(content, header.sample_format, header.order)
        samples[self.flagged_dead[traces]] = np.nan
        if self.shifts is None:
            return samples
        laid_out = np.full((len(traces), self.sampling.count), np.nan, np.float32)
        for row, shift in enumerate(self.shifts[traces]):
            laid_out[row, shift : shift + self.layout.samples] = samples[row]
        return laid_out

    def places(self) -> Integers:
        """Return each trace's place in the grid, int64 (traces,), in the file's order.

        Places are counted row by row. Of traces at one place each has it, not the first alone: so
        what is predicted goes back to every trace of the file.
        """
        grid, found = self.grid, self.geometry
        if found.inline_byte is None:
            return np.argsort(grid.traces[0], kind="stable")
        rows = np.searchsorted(grid.inlines, self.table.values(found.inline_byte))
        columns = np.searchsorted(grid.crosslines, self.table.values(found.crossline_byte))
        return rows * len(grid.crosslines) + columns

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _check_length(self) -> None:
        """Raise InputError where one section would not go into memory."""
        longest = max(self.grid.traces.shape)
        if longest * self.sampling.count > _LONGEST_LINE:
            raise InputError(
                f"{self.path}: one section would have {longest:,} traces of"
                f" {self.sampling.count:,} samples; if it is a 3D survey, name its bytes with"
                " --inline-byte and --crossline-byte"
            )


def open_segy(path: Path, options: SurveyOptions, folder: Path | None = None) -> SegySurvey:
    """Open a SEG-Y file; folder: where its trace headers are kept, if anywhere.

    Raises InputError for a file that is no SEG-Y, or whose headers do not make a survey.
    """
    file = FileBytes(path)
    try:
        return SegySurvey(file, options, folder)
    except BaseException:
        file.close()
        raise


def check_segy(path: Path, options: SurveyOptions) -> None:
    """Raise InputError for a file that is no SEG-Y by its first headers; no other is read."""
    file = FileBytes(path)
    try:
        read_layout(file, options)
    finally:
        file.close()
