"""Choosing some of many, evenly."""

import numpy as np

from saltseg.seismic.columns import Integers


def evenly(count: int, most: int) -> Integers:
    """Return at most `most` of the numbers below `count`, evenly spaced, int64 and rising."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
