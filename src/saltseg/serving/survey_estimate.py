"""What the prediction of a survey will take, told beforehand."""

import resource
import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np

from saltseg.plumbing.progress import duration
from saltseg.seismic.section_files import BYTES
from saltseg.seismic.store import PREDICTED, SHARD
from saltseg.seismic.survey import Section, Survey

_STORED = 6
"""Bytes a sample of the store: two of half precision, two truth values; before compression."""
_BLOCK = 48
"""Bytes that making a shard takes for each of its samples."""


def estimate(survey: Survey, axes: tuple[str, ...], predict: Callable[[Section], object]) -> str:
    """Return in lines: sections, time, memory and disk.

    predict: predicts a section. The middle one of each axis is predicted, and timed the second
    time: the first pays for what is set up once.
    """
    lines, seconds, warm = [], 0.0, False
    for axis in axes:
        numbers = survey.grid.numbers(axis)
        number = int(numbers[len(numbers) // 2])
        if not warm:
            predict(survey.section(axis, number))
        warm, started = True, perf_counter()
        section = survey.section(axis, number)
        predict(section)
        spent = perf_counter() - started
        seconds += spent * len(numbers)
        height, width = section.amplitude.T.shape
        lines.append(
            f"{axis}: {len(numbers):,} sections of {width:,} x {height:,}, {spent:.2f} s each"
        )
    samples = survey.grid.places * survey.sampling.count
    shard = SHARD ** (2 if survey.grid.line else 3)
    most = max(peak_bytes(), min(shard, samples) * _BLOCK + (300 << 20))
    disk = samples * (BYTES * len(axes) + _STORED)
    return "\n".join(
        [
            *lines,
            f"time: {duration(seconds)}, by the middle section of each axis",
            f"memory: {most / 2**30:.1f} GiB",
            f"disk: {_size(disk)} while it runs, {_size(samples * _STORED)} afterwards, less by"
            f" compression ({', '.join(PREDICTED)})",
        ]
    )


def peak_bytes() -> int:
    """Return the most memory that this process has held so far."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _size(count: int) -> str:
    units = ("B", "kB", "MB", "GB", "TB")
    power = min(int(np.log10(max(count, 1))) // 3, len(units) - 1)
    return f"{count / 1000**power:.3g} {units[power]}"
