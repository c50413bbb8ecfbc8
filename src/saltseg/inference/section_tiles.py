"""A section cut into large tiles that are blended: each pixel is computed little more than once.

Tiles overlap by OVERLAP. What a network says within MARGIN of a tile's border is thrown away; from
there on the tile's weight rises, so that neighbours pass into each other without a seam. The
section is mirrored beyond its own borders, where a tile would otherwise end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
Live = npt.NDArray[np.bool_]
Place = tuple[slice, slice]

OVERLAP, MARGIN = 64, 8
AT_ONCE = 1 << 18
"""Pixels of the tiles that are predicted together: of one of 512 x 512, or of four of 256 x 256."""


@dataclass(frozen=True)
class Opinions:
    """What all networks say: mean and variance over them, float32 of one shape."""

    mean: Values
    variance: Values


@dataclass(frozen=True)
class Cut:
    """How one side of a section is cut: mirrored by `border` at each end, tiles from `starts`."""

    length: int
    border: int
    side: int
    starts: tuple[int, ...]
    overlap: int

    @property
    def padded(self) -> int:
        """Pixels with both borders, and what the last tile needs beyond."""
        return max(self.length + 2 * self.border, self.side)

    @property
    def before(self) -> int:
        """Pixels that are mirrored before the first."""
        return (self.padded - self.length) // 2


def cut(length: int, side: int, fits: Callable[[int], int]) -> Cut:
    """Cut `length` pixels into equal tiles of at most about `side`, as small as cover them.

    fits: returns the least side of a tile, at least a given one, that a network takes whole.
    """
    overlap = min(OVERLAP, side // 2)
    border = overlap // 2
    whole = length + 2 * border
    count = max(-(-(whole - overlap) // (side - overlap)), 1)
    needed = -(-(whole + (count - 1) * overlap) // count)
    actual = max(min(fits(needed), side), 1) if count > 1 else fits(needed)
    starts = np.linspace(0, max(whole - actual, 0), count).round().astype(int)
    return Cut(length, border, actual, tuple(starts.tolist()), overlap)


def weights(cut: Cut) -> Values:
    """Return a tile's weights along one side: 0 within the margin, rising over the overlap."""
    margin = min(MARGIN, cut.overlap // 4)
    ramp = cut.overlap - 2 * margin
    distance = np.minimum(np.arange(cut.side), np.arange(cut.side)[::-1]) + 0.5 - margin
    rising = np.sin(np.pi / 2 * np.clip(distance / ramp, 0, 1)) ** 2
    return np.where(distance > 0, rising, 0).astype(np.float32)


def predict_section(
    image: Values,
    live: Live,
    cuts: tuple[Cut, Cut],
    predict: Callable[[Values], Opinions],
) -> Opinions:
    """Return the opinions on each pixel of a section, float32 (h, w), blended over its tiles.

    image: float32 (h, w). live: bool (h, w); tiles without any are not predicted, and count as no
    salt. cuts: of rows and columns. predict: from tiles, float32 (n, h, w), to opinions of it.
    """
    padded = _mirrored(image, cuts)
    window = np.outer(*(weights(each) for each in cuts))
    mean, variance, total = (np.zeros(padded.shape, np.float32) for _ in range(3))
    for places in _batches(_mirrored(live, cuts), cuts):
        found = predict(np.stack([padded[place] for place in places]))
        for place, one, other in zip(places, found.mean, found.variance, strict=True):
            mean[place] += window * one
            variance[place] += window * other
            total[place] += window
    total[total == 0] = 1
    rows, columns = (slice(each.before, each.before + each.length) for each in cuts)
    return Opinions((mean / total)[rows, columns], (variance / total)[rows, columns])


def _mirrored(values: npt.NDArray[Any], cuts: tuple[Cut, Cut]) -> npt.NDArray[Any]:
    sides = [(each.before, each.padded - each.length - each.before) for each in cuts]
    return np.pad(values, sides, mode="symmetric")


def _batches(live: Live, cuts: tuple[Cut, Cut]) -> Iterator[list[Place]]:
    """Yield the places of tiles with data, so many as are predicted together."""
    rows, columns = cuts
    places = [
        (slice(top, top + rows.side), slice(left, left + columns.side))
        for top, left in product(rows.starts, columns.starts)
    ]
    wanted = [place for place in places if live[place].any()]
    count = max(AT_ONCE // (rows.side * columns.side), 1)
    for start in range(0, len(wanted), count):
        yield wanted[start : start + count]
