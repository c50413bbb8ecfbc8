"""The amplitudes of a survey: their percentiles, their strength by depth, what is no data."""

from dataclasses import dataclass

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.grid import NO_TRACE
from saltseg.seismic.survey import Survey

PERCENTILES = (0.1, 1, 5, 25, 50, 75, 95, 99, 99.9)
_LINES = 16
_MOST_SAMPLES = 1 << 22
_MOST_TRACES = 2048
_PARTS = 10


@dataclass(frozen=True)
class AmplitudeStatistics:
    """Amplitudes of the traces that were looked at; only data counts, but in the shares.

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


def sampled_traces(survey: Survey) -> Integers:
    """Return the numbers of up to 2,048 traces, evenly over 16 lines; the same at each call."""
    traces = survey.grid.traces
    rows = np.unique(np.linspace(0, len(traces) - 1, min(len(traces), _LINES)).astype(int))
    most = max(min(_MOST_TRACES, _MOST_SAMPLES // survey.sampling.count), 1)
    if survey.grid.count <= most:
        rows = np.arange(len(traces))
    chosen = traces[rows][traces[rows] != NO_TRACE]
    places = np.unique(np.linspace(0, len(chosen) - 1, min(len(chosen), most)).astype(int))
    return chosen[places]


def amplitude_statistics(survey: Survey) -> AmplitudeStatistics:
    """Describe the amplitudes of a survey. Raises InputError where no trace is live."""
    samples, live = survey.traces(sampled_traces(survey))
    if not live.any():
        samples, live = survey.traces(first_live_traces(survey))
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


def first_live_traces(survey: Survey) -> Integers:
    """Return the first block of traces, in the grid's order, with a live one among them.

    Raises InputError where there is none in the whole survey.
    """
    traces = survey.grid.traces[survey.grid.traces != NO_TRACE]
    block = max(_MOST_SAMPLES // survey.sampling.count, 1)
    for start in range(0, len(traces), block):
        part = traces[start : start + block]
        if survey.traces(part)[1].any():
            return part
    raise InputError(
        f"{survey.path}: has no live trace: all {len(traces):,} are zero, constant, null or no"
        " numbers; look at the sample format (--format) or copy the file again"
    )
