"""From a survey's amplitudes to the grey values that networks read."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from saltseg.seismic.amplitudes import sampled_amplitudes
from saltseg.seismic.choices import ScaleOf
from saltseg.seismic.no_data import Amplitudes
from saltseg.seismic.survey import Survey

Grey = npt.NDArray[np.uint8]
MIDDLE = 127.5
"""The grey of amplitude 0; samples without data have it too."""
_LEAST_STRENGTH = 0.05
"""Strength, as a share of the strongest depth's, below which a gain grows no further."""


@dataclass(frozen=True)
class Scale:
    """One scale for all of a survey.

    of: whether a tile takes `level`, or its own extremes within it, as crops did. level: the
    amplitude that is drawn white, its negative black. clip: percent of the samples beyond it.
    gain: what amplitudes are multiplied by at each sample, float64 (samples,), or None.
    """

    of: ScaleOf
    level: float
    clip: float
    gain: npt.NDArray[np.float64] | None = None

    def gained(self, amplitude: Amplitudes) -> Amplitudes:
        """Return amplitudes, float32 (traces, samples), in units of `level`, cut off at -1, 1."""
        factor = 1 / self.level if self.gain is None else self.gain / self.level
        return np.clip(amplitude * np.float32(factor), -1, 1).astype(np.float32, copy=False)


def grey(gained: Amplitudes) -> Grey:
    """Return amplitudes in -1..1 as grey values."""
    return np.rint(MIDDLE + np.float32(MIDDLE) * gained).astype(np.uint8)


def measure_scale(survey: Survey, of: ScaleOf, clip: float, gain_window: int | None) -> Scale:
    """Measure the scale of a survey by up to 2,048 of its traces; only data counts.

    clip: percent, from 0 below 50. gain_window: samples over which the strength (the root of the
    mean square) by depth is smoothed, which the gain evens out; None for no gain.
    Raises InputError where no trace is live.
    """
    samples, live = sampled_amplitudes(survey)
    gain = None if gain_window is None else _gain(samples, live, gain_window)
    sizes = np.abs(samples if gain is None else samples * np.float32(gain))[live]
    level = float(np.percentile(sizes, 100 - clip)) or float(sizes.max())
    return Scale(of, level, clip, gain)


def _gain(samples: Amplitudes, live: npt.NDArray[np.bool_], window: int) -> npt.NDArray[np.float64]:
    """Return 1 / strength by depth, 1 on average over depths with data, float64 (samples,)."""
    squares = np.where(live, samples.astype(np.float64) ** 2, 0).sum(axis=0)
    counts = live.sum(axis=0).astype(np.float64)
    summed, counted = (gaussian_filter1d(each, window / 2) for each in (squares, counts))
    strength = np.sqrt(summed / np.maximum(counted, 1e-9))
    known = live.any(axis=0)
    gain = 1 / np.maximum(strength, _LEAST_STRENGTH * strength[known].max())
    return gain / gain[known].mean()
