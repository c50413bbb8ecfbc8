"""Which samples are data: not dead, null, muted, water, or no number at all."""

import numpy as np
import numpy.typing as npt

Amplitudes = npt.NDArray[np.float32]
Live = npt.NDArray[np.bool_]

NULL, LEAST_HUGE = -999.25, 9.9e29
"""The null value of well logs; and 1e30 in either sign, as any larger number, is one too."""
QUIET = 1e-3
"""Share of a trace's 95th percentile below which samples above the first signal are water."""
_LOUD = 95


def known_samples(amplitudes: Amplitudes, null: float | None = None) -> Live:
    """Tell which samples are finite numbers and none of the null values; null: one more of them."""
    known: Live = np.isfinite(amplitudes)
    with np.errstate(invalid="ignore"):
        known &= np.abs(amplitudes) < LEAST_HUGE
        for value in (NULL,) if null is None else (NULL, null):
            known &= ~np.isclose(amplitudes, np.float32(value), rtol=1e-6, atol=0)
    return known


def live_samples(amplitudes: Amplitudes, null: float | None = None) -> Live:
    """Tell which samples of traces, float32 (traces, samples), are data; null: one more null value.

    Not data are: numbers that are not finite; nulls; traces whose other samples are all equal; what
    comes before a trace's first signal, as mutes and water do; zeros after its last.
    """
    live = known_samples(amplitudes, null)
    known = np.where(live, amplitudes, 0)
    live &= ~_is_flat(amplitudes, live)[:, None]
    sizes = np.abs(known)
    loud = np.percentile(sizes, _LOUD, axis=1, method="higher", keepdims=True)
    signal = (sizes > QUIET * loud) & live
    live &= np.logical_or.accumulate(signal, axis=1)
    live &= np.logical_or.accumulate(((sizes > 0) & live)[:, ::-1], axis=1)[:, ::-1]
    return live


def _is_flat(amplitudes: Amplitudes, live: Live) -> Live:
    """Tell which traces have no two different samples that are data, bool (traces,)."""
    least = np.where(live, amplitudes, np.inf).min(axis=1, initial=np.inf)
    most = np.where(live, amplitudes, -np.inf).max(axis=1, initial=-np.inf)
    return most <= least
