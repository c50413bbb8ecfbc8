"""The amplitudes of a survey: their percentiles, their strength by depth, what is no data."""

from dataclasses import dataclass

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.grid import NO_TRACE
from saltseg.seismic.no_data import Amplitudes, Live
from saltseg.seismic.spacing import evenly
from saltseg.seismic.survey import Survey

PERCENTILES = (0.1, 1, 5, 25, 50, 75, 95, 99, 99.9)
_LINES = 16
_MOST_SAMPLES = 1 << 22
_MOST_TRACES = 2048
_PARTS = 10


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


def sampled_traces(survey: Survey) -> Integers:
    """Return the numbers of up to 2,048 traces, evenly over 16 lines; the same at each call."""
    traces = survey.grid.traces
    rows = evenly(len(traces), _LINES)
    most = max(min(_MOST_TRACES, _MOST_SAMPLES // survey.sampling.count), 1)
    if survey.grid.count <= most:
        rows = np.arange(len(traces))
    chosen = traces[rows][traces[rows] != NO_TRACE]
    return chosen[evenly(len(chosen), most)]


def sampled_amplitudes(survey: Survey) -> tuple[Amplitudes, Live]:
    """Read sampled traces, and where they are data; if all are dead, the first block that is not.

    float32 and bool, (traces, samples). Raises InputError where no trace is live.
    """
    samples, live = survey.traces(sampled_traces(survey))
    return (samples, live) if live.any() else survey.traces(_first_live_traces(survey))


def amplitude_statistics(survey: Survey) -> AmplitudeStatistics:
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


def _first_live_traces(survey: Survey) -> Integers:
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
