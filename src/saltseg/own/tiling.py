"""Where crops are cut from a section."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP
from saltseg.own.section import Mask, OwnSection

LEAST_LIVE = 0.75
"""Share of a crop's pixels that have to be data."""


@dataclass(frozen=True)
class Place:
    """A crop of a section: its upper left pixel, and how many of its pixels are salt."""

    row: int
    column: int
    salt_pixels: int


def crop_places(section: OwnSection, overlap: str) -> Iterator[Place]:
    """Yield the crops of a section that are data for the most part, row by row.

    Of a labelled section each crop is interpreted throughout; the crops are laid over the part that
    is, from its edge. overlap: "half" or "none"; see crop_starts.
    """
    label = section.label
    usable = section.live if label is None else label.interpreted
    rows, columns = _extent(np.any(usable, axis=1)), _extent(np.any(usable, axis=0))
    for row in crop_starts(*rows, overlap):
        for column in crop_starts(*columns, overlap):
            window = np.s_[row : row + CROP, column : column + CROP]
            if section.live[window].mean() < LEAST_LIVE:
                continue
            if label is None:
                yield Place(row, column, 0)
            elif label.interpreted[window].all():
                yield Place(row, column, int(np.count_nonzero(label.salt[window])))


def crop_starts(first: int, end: int, overlap: str) -> list[int]:
    """Return where crops start that lie evenly from `first` to before `end`; none if too short.

    "half": they reach from end to end, at most half a crop apart. "none": as many as fit side by
    side.
    """
    room = end - first - CROP
    if room < 0:
        return []
    count = room // CROP + 1 if overlap == "none" else -(-room // (CROP // 2)) + 1
    return [first + (room * index // max(count - 1, 1)) for index in range(count)]


def cut(array: npt.NDArray[np.generic], row: int, column: int) -> npt.NDArray[np.generic]:
    """Return a copy of the crop of `array`, shape (101, 101)."""
    return array[row : row + CROP, column : column + CROP].copy()


def _extent(used: Mask) -> tuple[int, int]:
    """Return the first place that is used and the one behind the last; an empty range for none."""
    places = np.flatnonzero(used)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)
