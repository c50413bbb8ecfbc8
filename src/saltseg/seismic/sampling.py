"""The samples of a trace: their interval, the first one's time or depth, their unit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.seismic.columns import Integers
from saltseg.seismic.options import Domain, LengthUnit, SurveyOptions
from saltseg.seismic.segy_layout import SegyLayout
from saltseg.seismic.trace_table import (
    DELAY,
    INTERVAL,
    TIME_SCALAR,
    Flags,
    TraceTable,
    live_traces,
)

SANE = range(100, 32768)
"""Intervals that are believed: 0.1 to 32 ms, or as many metres or feet."""
_TIME_SCALARS = {-10000, -1000, -100, -10, 10, 100, 1000, 10000}
_MOST_SHIFT = 4
"""Trace lengths by which traces of one survey may begin later than others."""


@dataclass(frozen=True)
class Sampling:
    """Where samples lie: first + interval * number.

    unit: "ms", "m" or "ft"; "sample" where an array says nothing; "ms, m or ft" where the domain is
    not told. domain: None if unknown.
    """

    count: int
    interval: float
    first: float
    unit: str
    domain: Domain | None

    def last(self) -> float:
        """Return the place of the last sample."""
        return self.first + self.interval * (self.count - 1)


@dataclass(frozen=True)
class TraceSampling:
    """The sampling of a SEG-Y file, and by how many samples each trace begins later.

    shifts: int64 (traces,); None where all begin at once.
    """

    sampling: Sampling
    shifts: Integers | None
    notes: tuple[str, ...]


def unit_of(domain: Domain | None, length: LengthUnit | None, unknown: str) -> str:
    """Return the unit of samples; unknown: what to call it where the domain is not told."""
    if domain is None:
        return unknown
    return "ms" if domain is Domain.TIME else (length or LengthUnit.METRES).value


def find_sampling(
    path: Path,
    layout: SegyLayout,
    table: TraceTable,
    options: SurveyOptions,
    placed: Flags | None = None,
) -> TraceSampling:
    """Read the sampling from headers and options. Raises InputError where no interval is sane.

    placed: which traces have coordinates, bool (traces,); None if it is not known. Those that pad a
    survey out often have neither coordinates nor a delay.
    """
    notes: list[str] = []
    interval = options.interval or _interval(path, layout, table, notes)
    length = options.unit or _length_unit(layout)
    if options.domain is Domain.DEPTH and length is None:
        notes.append("byte 3255 does not tell metres from feet: metres taken; name --unit")
    first, shifts = _delays(table, interval, layout.samples, placed, notes)
    later = 0 if shifts is None else int(shifts.max())
    unit = unit_of(options.domain, length, "ms, m or ft")
    sampling = Sampling(layout.samples + later, interval, first, unit, options.domain)
    return TraceSampling(sampling, shifts, tuple(notes))


def _length_unit(layout: SegyLayout) -> LengthUnit | None:
    return {1: LengthUnit.METRES, 2: LengthUnit.FEET}.get(layout.header.number(3255, "h"))


def _interval(path: Path, layout: SegyLayout, table: TraceTable, notes: list[str]) -> float:
    """Return the interval of the headers, a thousandth of what they hold."""
    header = layout.header
    extended = header.float64(3273) if header.revision == 2 else 0.0
    binary = header.number(3217, "h")
    told = table.values(INTERVAL)[live_traces(table)]
    stated, counts = np.unique(told, return_counts=True)
    trace, usual = int(stated[counts.argmax()]), int(counts.max())
    if np.isfinite(extended) and SANE.start <= extended < SANE.stop:
        return extended / 1000
    if len(counts) > 1:
        notes.append(f"interval: byte 117 varies, {usual:,} of {len(told):,} say {trace:,}")
    if binary not in SANE and trace not in SANE:
        raise InputError(
            f"{path}: the sample interval is {binary:,} in byte 3217 and {trace:,} in byte 117 of"
            " the traces, neither of which can be; give it with --interval, in ms, m or ft"
        )
    if binary not in SANE or (trace in SANE and len(counts) == 1):
        chosen, byte = trace, 117
    else:
        chosen, byte = binary, 3217
    if binary != trace:
        notes.append(
            f"interval: byte 3217 says {binary:,}, byte 117 of the traces {trace:,}:"
            f" {chosen / 1000:g} (byte {byte}) taken; --interval overrides it"
        )
    return chosen / 1000


def _delays(
    table: TraceTable, interval: float, samples: int, placed: Flags | None, notes: list[str]
) -> tuple[float, Integers | None]:
    """Return the first sample's time or depth, and by how many samples each trace begins later."""
    delays = table.values(DELAY) * _factors(table.values(TIME_SCALAR))
    if (delays == delays[0]).all():
        return float(delays[0]), None
    believed = live_traces(table)
    if placed is not None:
        believed &= placed | (delays != 0)
    usual = float(np.median(delays[believed]))
    delays = _without_padding(delays, believed, usual, notes)
    strange = np.abs(delays - usual) > _MOST_SHIFT * samples * interval
    if strange.any():
        trace = int(np.flatnonzero(strange)[0])
        notes.append(
            f"delay: byte 109 of trace {trace + 1:,} says {delays[trace]:g}, too far from the usual"
            f" {usual:g}, which is taken for {strange.sum():,} traces"
        )
        delays = np.where(strange, usual, delays)
    first = float(delays.min())
    shifts = np.rint((delays - first) / interval).astype(np.int64)
    if not shifts.any():
        return first, None
    notes.append(
        f"delay: byte 109 runs from {first:g} to {delays.max():g}: traces are laid out from"
        f" {first:g} on, each where it begins"
    )
    return first, shifts


def _without_padding(
    delays: npt.NDArray[np.float64], believed: Flags, usual: float, notes: list[str]
) -> npt.NDArray[np.float64]:
    """Give traces that only pad the survey out the usual delay, so that they lengthen no other."""
    other = ~believed & (delays != usual)
    if other.any():
        notes.append(
            f"delay: {other.sum():,} traces that are flagged dead (byte 29), or have neither"
            f" coordinates nor a delay (byte 109), are taken to begin at the usual {usual:g}"
        )
    return np.where(other, usual, delays)


def _factors(scalars: Integers) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return factors of times: a negative scalar divides; what is no power of ten counts as 1."""
    known = np.isin(scalars, list(_TIME_SCALARS))
    return scaled(np.where(known, scalars, 1))


def scaled(scalars: Integers) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the factor of each scalar: a negative one divides, 0 is 1, a positive multiplies."""
    sizes = np.maximum(np.abs(scalars), 1).astype(np.float64)
    return np.where(scalars < 0, 1 / sizes, sizes)
