"""Samples made closer or farther apart along a trace, and what is found there brought back."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.seismic.no_data import Amplitudes

LEAST, MOST = 1 / 16, 16
_MOST_TERMS = 32

Values = npt.NDArray[np.float32]


def sample_fraction(scale: float) -> Fraction:
    """Return a scale as a fraction of small numbers. Raises InputError where it is none."""
    if not LEAST <= scale <= MOST:
        raise InputError(
            f"--sample-scale: {scale} is no scale; give samples to make of one, from {LEAST} to"
            f" {MOST}"
        )
    return Fraction(scale).limit_denominator(_MOST_TERMS)


def resampled(amplitude: Amplitudes, scale: Fraction) -> Amplitudes:
    """Return `scale` samples of each, band-limited: float32 (traces, ceil(samples * scale)).

    Sample k lies where k / scale was. Beyond the ends the trace is taken to go on evenly.
    """
    if scale == 1:
        return amplitude
    from scipy.signal import resample_poly  # the command line starts without it

    made = resample_poly(amplitude, scale.numerator, scale.denominator, axis=1, padtype="line")
    return np.asarray(made, np.float32)


def brought_back(values: Values, scale: Fraction, samples: int) -> Values:
    """Return values, float32 (traces, more or fewer), at the `samples` that they were made of.

    Linear between neighbours, so that probabilities stay within 0 and 1.
    """
    if scale == 1:
        return values
    places = np.minimum(np.arange(samples) * float(scale), values.shape[1] - 1)
    before = np.minimum(places.astype(np.int64), max(values.shape[1] - 2, 0))
    after = np.minimum(before + 1, values.shape[1] - 1)
    share = (places - before).astype(np.float32)
    return values[:, before] * (1 - share) + values[:, after] * share
