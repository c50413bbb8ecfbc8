"""Helpers for all figures: choosing examples, and writing PNG files with stable bytes."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100
"""Pixels per inch of a figure."""


def empty_figure(width: float, height: float) -> "Figure":
    """Return a figure of `width` x `height` pixels; save it with write_figure."""
    from matplotlib.figure import Figure  # only here: takes half a second

    return Figure(figsize=(width / DPI, height / DPI), dpi=DPI)


def write_figure(path: Path, figure: "Figure") -> None:
    """Write a figure as PNG, without time and software, so that equal figures give equal bytes."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=DPI, metadata={"Software": None})


def spread_evenly(length: int, count: int) -> npt.NDArray[np.intp]:
    """Return up to `count` of `length` indices, evenly spaced, including first and last."""
    chosen = min(count, length)
    return np.arange(chosen) * (length - 1) // max(chosen - 1, 1)


def spread_over_coverage(masks: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.intp]:
    """Return the indices of up to `count` masks, from the least to the most salt.

    The first eighth has no salt; the others are evenly spaced in the order of coverage.
    """
    salt = np.count_nonzero(masks, axis=(1, 2))
    order = np.argsort(salt, kind="stable")
    empty, salty = np.split(order, [np.count_nonzero(salt == 0)])
    empties = empty[spread_evenly(len(empty), count // 8)]
    salty = salty[spread_evenly(len(salty), count - len(empties))]
    return np.concatenate([empties, salty])
