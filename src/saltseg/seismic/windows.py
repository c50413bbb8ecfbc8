"""Statistics by which a survey and training crops are compared: of windows of one size."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP
from saltseg.seismic.spacing import evenly
from saltseg.seismic.survey import Survey

Windows = npt.NDArray[np.float32]
Spread = tuple[float, float, float]
"""The 10th, 50th and 90th percentile over windows; NaN where none can be measured."""

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_SPREAD = (10, 50, 90)
_SECTIONS, _STEPS = 4, 6
"""Sections along each axis, and windows along each side of one, that a survey is known by."""
LEAST_LIVE = 0.75
_PATCH = 20


@dataclass(frozen=True)
class WindowStatistics:
    """What windows of seismic amplitude are like, each scaled to mean 0 and deviation 1.

    windows: how many that are not flat. wavelength: dominant, in samples; width: the same along
    traces. Both are 1 / the mean frequency of a window's power spectrum. dip: median size of a
    window's local slopes, in samples a trace. percentiles: of amplitudes, at PERCENTILES.
    skewness, kurtosis: of all amplitudes (0 and 3 of a normal distribution).
    """

    windows: int
    wavelength: Spread
    width: Spread
    dip: Spread
    percentiles: tuple[float, ...]
    skewness: float
    kurtosis: float


def describe_windows(windows: npt.NDArray[np.generic]) -> WindowStatistics | None:
    """Describe windows, shape (n, samples, traces), real numbers; None where all are flat.

    Crops in 8 bits are such windows.
    """
    if windows.size == 0:
        return None
    values = windows.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    deviation = values.std(axis=(1, 2))
    varied = deviation > 0
    values = values[varied] / deviation[varied, None, None]
    if not len(values):
        return None
    return WindowStatistics(
        len(values),
        _spread(_wavelengths(values)),
        _spread(_wavelengths(values.transpose(0, 2, 1))),
        _spread(_dips(values)),
        tuple(float(value) for value in np.percentile(values, PERCENTILES)),
        float(np.mean(values**3, dtype=np.float64)),
        float(np.mean(values**4, dtype=np.float64)),
    )


def _spread(values: npt.NDArray[np.float64]) -> Spread:
    known = values[np.isfinite(values)]
    if not len(known):
        return (np.nan, np.nan, np.nan)
    low, middle, high = (float(value) for value in np.percentile(known, _SPREAD))
    return low, middle, high


def _wavelengths(values: Windows) -> npt.NDArray[np.float64]:
    """Return 1 / the mean frequency of each window's power spectrum along axis 1.

    The spectrum is that of a Hann taper, summed over the other axis (Welch 1967).
    """
    size = values.shape[1]
    if size < 4:
        return np.full(len(values), np.nan)
    taper = np.hanning(size + 2)[1:-1].astype(np.float32)
    level = values - values.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(level * taper[:, None], axis=1)[:, 1:]) ** 2
    power = power.sum(axis=2, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        lengths: npt.NDArray[np.float64] = power.sum(axis=1) / (power @ np.fft.rfftfreq(size)[1:])
    return lengths


def _dips(values: Windows) -> npt.NDArray[np.float64]:
    """Return the median size of local slopes p in each window, by u_x = -p u_z in patches.

    Source: Claerbout, Earth Soundings Analysis (1992), on plane waves; p by least squares.
    """
    if min(values.shape[1:]) < 3:
        return np.full(len(values), np.nan)
    across = values[:, 1:-1, 2:] - values[:, 1:-1, :-2]
    down = values[:, 2:, 1:-1] - values[:, :-2, 1:-1]
    rows, columns = (min(_PATCH, size) for size in across.shape[1:])
    high, wide = across.shape[1] // rows, across.shape[2] // columns
    products = np.stack([across * down, down * down])[:, :, : high * rows, : wide * columns]
    patches = products.reshape(2, len(values), high, rows, wide, columns).sum(axis=(3, 5))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.abs(patches[0] / patches[1]).reshape(len(values), -1)
    known = np.ma.masked_invalid(slopes)
    return np.ma.filled(np.ma.median(known, axis=1).astype(np.float64), np.nan)


def survey_windows(survey: Survey) -> Windows:
    """Cut windows of at most 101 x 101, evenly over a survey, that are data for the most part.

    Returns float32 (n, samples, traces), of the size that most of them have: sections with fewer
    than 101 traces give smaller ones.
    """
    grid = survey.grid
    found: list[Windows] = []
    for axis in grid.axes:
        numbers = grid.numbers(axis)
        for place in evenly(len(numbers), _SECTIONS):
            section = survey.section(axis, int(numbers[place]))
            found += _cut(section.amplitude.T, section.live.T)
    if not found:
        return np.empty((0, 0, 0), np.float32)
    counts = Counter(window.shape for window in found)
    usual = max(counts, key=lambda shape: (counts[shape], shape))
    return np.stack([window for window in found if window.shape == usual])


def _cut(amplitude: Windows, live: npt.NDArray[np.bool_]) -> list[Windows]:
    height, width = (min(CROP, size) for size in amplitude.shape)
    places = [
        (slice(top, top + height), slice(left, left + width))
        for top in evenly(amplitude.shape[0] - height + 1, _STEPS)
        for left in evenly(amplitude.shape[1] - width + 1, _STEPS)
    ]
    return [amplitude[place].copy() for place in places if live[place].mean() >= LEAST_LIVE]
