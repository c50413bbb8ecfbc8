"""Statistics by which a survey and training crops are compared: of windows of one size."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP
from saltseg.seismic.survey import Survey

Windows = npt.NDArray[np.float32]

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_SECTIONS, _STEPS = 4, 6
"""Sections along each axis, and windows along each side of one, that a survey is known by."""
_LIVE = 0.9
_PATCH = 20


@dataclass(frozen=True)
class WindowStatistics:
    """What windows of seismic amplitudes are like, each scaled to mean 0 and deviation 1.

    windows: how many that are not flat. wavelength: dominant, in samples; width: the same along
    traces. Both are 1 / the mean frequency of the power spectrum. dip: median size of the local
    slope, in samples a trace. percentiles: of amplitudes, at PERCENTILES. skewness, kurtosis: of
    all amplitudes (0 and 3 of a normal distribution).
    """

    windows: int
    wavelength: float
    width: float
    dip: float
    percentiles: tuple[float, ...]
    skewness: float
    kurtosis: float


def describe_windows(windows: npt.NDArray[np.generic]) -> WindowStatistics | None:
    """Describe windows, shape (n, samples, traces), real numbers; None where all are flat.

    Crops in 8 bits are such windows.
    """
    values = windows.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    deviation = values.std(axis=(1, 2))
    varied = deviation > 0
    values = values[varied] / deviation[varied, None, None]
    if not len(values):
        return None
    return WindowStatistics(
        len(values),
        _wavelength(values),
        _wavelength(values.transpose(0, 2, 1)),
        _dip(values),
        tuple(float(value) for value in np.percentile(values, PERCENTILES)),
        float(np.mean(values**3, dtype=np.float64)),
        float(np.mean(values**4, dtype=np.float64)),
    )


def _wavelength(values: Windows) -> float:
    """Return 1 / the mean frequency of the power spectrum along axis 1, each window counting alike.

    Source: periodograms of a Hann window, averaged (Welch 1967).
    """
    size = values.shape[1]
    if size < 4:
        return float("nan")
    taper = np.hanning(size + 2)[1:-1].astype(np.float32)
    level = values - values.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(level * taper[:, None], axis=1)[:, 1:]) ** 2
    power = power.sum(axis=2, dtype=np.float64)
    total = power.sum(axis=1)
    frequencies = np.fft.rfftfreq(size)[1:]
    spectrum = (power[total > 0] / total[total > 0, None]).mean(axis=0) if total.any() else power[0]
    mean = float(spectrum @ frequencies)
    return 1 / mean if mean > 0 else float("nan")


def _dip(values: Windows) -> float:
    """Return the median size of local slopes p, least squares of u_x = -p u_z in patches.

    Source: Claerbout, Earth Soundings Analysis (1992), plane-wave destruction.
    """
    across = np.diff(values, axis=2)[:, :-1]
    down = np.diff(values, axis=1)[:, :, :-1]
    height, width = (max(size // _PATCH, 1) for size in across.shape[1:])
    products = np.stack([across * down, down * down])
    rows, columns = (min(_PATCH, size) for size in across.shape[1:])
    cut = products[:, :, : height * rows, : width * columns]
    patches = cut.reshape(2, len(values), height, rows, width, columns).sum(axis=(3, 5))
    known = patches[1] > 0
    return float(np.median(np.abs(patches[0][known] / patches[1][known]))) if known.any() else 0.0


def survey_windows(survey: Survey) -> Windows:
    """Cut windows of at most 101 x 101, evenly over a survey, that are 90 % data or more.

    Returns float32 (n, samples, traces); those of the axis with the longer sections where the two
    axes' windows differ in size, which they do where a side has fewer than 101 traces.
    """
    grid = survey.grid
    found: list[Windows] = []
    for axis in sorted(grid.axes, key=lambda axis: -len(grid.across(axis))):
        numbers = grid.numbers(axis)
        for place in _evenly(len(numbers), _SECTIONS):
            section = survey.section(axis, int(numbers[place]))
            found += _cut(section.amplitude.T, section.live.T)
    largest = max((window.shape for window in found), default=(0, 0))
    kept = [window for window in found if window.shape == largest]
    return np.stack(kept) if kept else np.empty((0, 0, 0), np.float32)


def _cut(amplitude: Windows, live: npt.NDArray[np.bool_]) -> list[Windows]:
    height, width = (min(CROP, size) for size in amplitude.shape)
    return [
        amplitude[top : top + height, left : left + width]
        for top in _evenly(amplitude.shape[0] - height + 1, _STEPS)
        for left in _evenly(amplitude.shape[1] - width + 1, _STEPS)
        if live[top : top + height, left : left + width].mean() >= _LIVE
    ]


def _evenly(count: int, most: int) -> list[int]:
    """Return at most `most` of the numbers below `count`, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)).tolist()
