"""The amplitudes of a survey: their percentiles, their strength by depth, what is no data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.grid import NO_TRACE
from saltseg.seismic.no_data import Amplitudes, Live
from saltseg.seismic.spacing import evenly

if TYPE_CHECKING:
    from saltseg.seismic.survey import Survey

Read = Callable[[Integers], tuple[Amplitudes, Live]]
"""Reads samples of traces, and where they are data."""

PERCENTILES = (0.1, 1, 5, 25, 50, 75, 95, 99, 99.9)
_LINES = 16
_MOST_SAMPLES = 1 << 22
_MOST_TRACES = 2048
_PARTS = 10
_NEAR = 0.1
"""Share of the interquartile range by which an unsigned middle may lie beside a power of two."""


@dataclass(frozen=True)
class AmplitudeStatistics:
    """Amplitudes of the traces that were looked at; what is no data counts in the shares alone.

    looked_at: traces. dead: of these, without data. no_data, zero: shares of their samples.
    percentiles: at PERCENTILES. rms: of each tenth of the samples, None where one has no data.
    """

    looked_at: int
    dead: int
    no_data: float
    zero: float
    least: float
    most: float
    percentiles: tuple[float, ...]
    rms: tuple[float | None, ...]


def sampled_traces(survey: "Survey") -> Integers:
    """Return the numbers of up to 2,048 traces, evenly over 16 lines; the same at each call."""
    traces = survey.grid.traces
    rows = evenly(len(traces), _LINES)
    most = max(min(_MOST_TRACES, _MOST_SAMPLES // survey.sampling.count), 1)
    if survey.grid.count <= most:
        rows = np.arange(len(traces))
    chosen = traces[rows][traces[rows] != NO_TRACE]
    return chosen[evenly(len(chosen), most)]


def sampled_amplitudes(survey: "Survey") -> tuple[Amplitudes, Live]:
    """Read sampled traces, and where they are data; if all are dead, the first block that is not.

    float32 and bool, (traces, samples). Raises InputError where no trace is live.
    """
    return sampled(survey, survey.traces)


def sampled(survey: "Survey", read: Read) -> tuple[Amplitudes, Live]:
    """Do the same by a way of reading of one's own."""
    samples, live = read(sampled_traces(survey))
    return (samples, live) if live.any() else read(_first_live_traces(survey, read))


def middle_of(samples: Amplitudes, live: Live) -> float:
    """Return the number that stands for amplitude 0 among unsigned ones: their median.

    Where a power of two is near, that is meant: 128 of 8 bits, 2,048 of 12, in which mutes are
    written. The median of skewed amplitudes lies beside it, so that no mute would be seen.
    """
    low, median, high = np.percentile(samples[live].astype(np.float64), (25, 50, 75))
    power = 2.0 ** np.rint(np.log2(max(median, 1)))
    near = abs(median - power) <= max(_NEAR * (high - low), 1)
    return float(power if near else np.rint(median))


def zero_notes(survey: "Survey") -> list[str]:
    """Return a line on what is taken for amplitude 0, if that is not 0."""
    if not survey.zero:
        return []
    return [f"amplitudes: the file's are unsigned; {survey.zero:,.0f} is taken for amplitude 0"]


def offset_notes(survey: "Survey", statistics: "AmplitudeStatistics") -> list[str]:
    """Return a line on amplitudes that are not around 0, or on what was done about it."""
    low, middle, high = (statistics.percentiles[PERCENTILES.index(at)] for at in (25, 50, 75))
    if low <= 0 <= high:
        return zero_notes(survey)
    return [
        f"amplitudes: three quarters lie on one side of 0, in the middle {middle:.4g}, and networks"
        " expect them around 0: name the right --format, or write the file again with their middle"
        " subtracted"
    ]


def amplitude_statistics(survey: "Survey") -> AmplitudeStatistics:
    """Describe the amplitudes of a survey. Raises InputError where no trace is live."""
    samples, live = sampled_amplitudes(survey)
    known = samples[live]
    return AmplitudeStatistics(
        len(samples),
        int((~live.any(axis=1)).sum()),
        float(1 - live.mean()),
        float((samples == 0).mean()),
        float(known.min()),
        float(known.max()),
        tuple(float(value) for value in np.percentile(known, PERCENTILES)),
        tuple(
            float(np.sqrt(np.mean(part[here], dtype=np.float64))) if here.any() else None
            for part, here in zip(
                np.array_split(samples.astype(np.float64) ** 2, _PARTS, axis=1),
                np.array_split(live, _PARTS, axis=1),
                strict=True,
            )
        ),
    )


def _first_live_traces(survey: "Survey", read: Read) -> Integers:
    """Return the first block of traces, in the grid's order, with a live one among them.

    Raises InputError where there is none in the whole survey.
    """
    traces = survey.grid.traces[survey.grid.traces != NO_TRACE]
    block = max(_MOST_SAMPLES // survey.sampling.count, 1)
    for start in range(0, len(traces), block):
        part = traces[start : start + block]
        if read(part)[1].any():
            return part
    raise InputError(
        f"{survey.path}: has no live trace: all {len(traces):,} are zero, constant, null or no"
        " numbers; look at the sample format (--format) or copy the file again"
    )
