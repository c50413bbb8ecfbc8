"""A survey that is open: its grid, its samples, and its sections one at a time."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from saltseg.plumbing.closing import Closing
from saltseg.plumbing.errors import InputError
from saltseg.seismic.amplitudes import middle_of, sampled
from saltseg.seismic.columns import Integers
from saltseg.seismic.coordinates import Metres
from saltseg.seismic.grid import NO_TRACE, Grid
from saltseg.seismic.no_data import Amplitudes, Live, live_samples
from saltseg.seismic.options import Polarity, SurveyOptions
from saltseg.seismic.sampling import Sampling


@dataclass(frozen=True)
class Section:
    """A slice of a survey along inlines or crosslines, or a 2D line.

    axis, number: which one. amplitude: float32 (traces, samples), 0 where there is no data. live:
    bool (traces, samples), where there is. traces: int64 (traces,), the number of each trace in the
    file, -1 where the grid has none. numbers: int64 (traces,), of each trace across the axis.
    """

    axis: str
    number: int
    amplitude: Amplitudes
    live: Live
    traces: Integers
    numbers: Integers


class Survey(Closing):
    """What is read of a survey, whatever file it is in. Nothing is loaded but what is asked for.

    path: its file. grid, sampling: where its samples lie. x, y: float64 (traces,) by the trace's
    number in the file, NaN where a trace has none, None where none has. notes: what its file gets
    wrong, in a line each.
    """

    def __init__(
        self,
        path: Path,
        grid: Grid,
        sampling: Sampling,
        position: tuple[Metres, Metres] | None,
        options: SurveyOptions,
        notes: tuple[str, ...] = (),
        unsigned: bool = False,
    ) -> None:
        """Take what was found of a survey. unsigned: whether its file has no negative numbers."""
        self.path = path
        self.grid = grid
        self.sampling = sampling
        self.x: Metres | None = position[0] if position else None
        self.y: Metres | None = position[1] if position else None
        self.options = options
        self.notes = notes
        self.unsigned = unsigned

    @property
    def kind(self) -> str:
        """Return "2d" or "3d"."""
        return "2d" if self.grid.line else "3d"

    @cached_property
    def zero(self) -> float:
        """What the file holds for amplitude 0: 0, but for unsigned numbers their middle.

        It is found by sampled traces, the same at each call. Raises InputError where none is live.
        """
        return middle_of(*sampled(self, self._uncentred)) if self.unsigned else 0.0

    @abstractmethod
    def raw(self, traces: Integers) -> Amplitudes:
        """Return the samples of traces as the file has them, float32 (traces, samples).

        traces: int64, their numbers in the file. Samples that a trace lacks are NaN.
        """

    def raw_along(self, axis: str, number: int) -> tuple[Amplitudes, Integers]:
        """Return the raw samples along a section, NaN where there is no trace, and its traces."""
        traces = self.grid.along(axis, number)
        amplitudes = np.full((len(traces), self.sampling.count), np.nan, np.float32)
        here = traces != NO_TRACE
        amplitudes[here] = self.raw(traces[here])
        return amplitudes, traces

    def section(self, axis: str, number: int) -> Section:
        """Read one section. Raises InputError where the survey has no such section."""
        try:
            raw, traces = self.raw_along(axis, number)
        except KeyError as error:
            raise InputError(f"{self.path}: {self._no_section(axis, number)}") from error
        amplitude, live = self.with_mask(raw)
        return Section(axis, number, amplitude, live, traces, self.grid.across(axis))

    def traces(self, numbers: Integers) -> tuple[Amplitudes, Live]:
        """Return samples and live mask of traces, by their numbers in the file, as in Section."""
        return self.with_mask(self.raw(numbers))

    def with_mask(self, raw: Amplitudes) -> tuple[Amplitudes, Live]:
        """Return raw samples as Section has them: around 0, polarity and no data applied."""
        live = live_samples(raw, self.options.null)
        if self.zero:  # a mute is seen around 0, and padding as the file has it
            raw = np.where(live, raw - np.float32(self.zero), np.float32(np.nan))
            live = live_samples(raw)
        sign = np.float32(-1 if self.options.polarity is Polarity.REVERSED else 1)
        return np.where(live, raw * sign, np.float32(0)), live

    def _uncentred(self, traces: Integers) -> tuple[Amplitudes, Live]:
        """Return samples of traces as the file has them, and where they are data by these."""
        raw = self.raw(traces)
        return raw, live_samples(raw, self.options.null)

    def _no_section(self, axis: str, number: int) -> str:
        if axis not in self.grid.axes:
            return f"has no sections along {axis}; ask for {' or '.join(self.grid.axes)}"
        numbers = self.grid.numbers(axis)
        return f"has no {axis} {number:,}; they run from {numbers[0]:,} to {numbers[-1]:,}"
