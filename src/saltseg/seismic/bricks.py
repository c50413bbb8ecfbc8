"""A volume in bricks: their order, and the faces at which they and their samples meet."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from saltseg.seismic.columns import Integers
from saltseg.seismic.no_data import Live
from saltseg.seismic.store import CHUNK

Shape = tuple[int, int, int]
Labels = npt.NDArray[np.int64]
"""Labels of components, 0 outside of all."""
_SAMPLES = 1 << 24


@dataclass(frozen=True)
class Brick:
    """A part of a volume: where it begins and ends along inlines, crosslines and samples."""

    first: Shape
    last: Shape

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The slices that cut it out of the volume."""
        rows, columns, samples = map(slice, self.first, self.last)
        return rows, columns, samples


def bricks(shape: Shape, side: Shape) -> Iterator[Brick]:
    """Yield the bricks of a volume as `blocks` does."""
    for rows, columns, samples in blocks(shape, side):
        first = rows.start, columns.start, samples.start
        yield Brick(first, (rows.stop, columns.stop, samples.stop))


def blocks(shape: tuple[int, ...], side: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Yield the blocks of an array, the last axis running fastest; the last may be smaller."""
    axes = [
        [slice(first, min(first + step, size)) for first in range(0, size, step)]
        for size, step in zip(shape, side, strict=True)
    ]
    yield from product(*axes)


def count_bricks(shape: Shape, side: Shape) -> int:
    """Return how many bricks there are."""
    return int(np.prod([-(-size // step) for size, step in zip(shape, side, strict=True)]))


def whole_traces(shape: Shape) -> Shape:
    """Return the sides of bricks of whole traces: whole chunks of a store, of some 2^24 samples."""
    samples = shape[2]
    return CHUNK, max(_SAMPLES // (CHUNK * samples) // CHUNK, 1) * CHUNK, samples


@dataclass(frozen=True)
class Layer:
    """Samples that lie side by side: the label of each, and whether it is data."""

    labels: Labels
    live: Live

    def at(self, axis: int, place: slice | int) -> "Layer":
        """Return the part at a place along an axis."""
        index: list[slice | int] = [slice(None)] * self.labels.ndim
        index[axis] = place
        return Layer(self.labels[tuple(index)], self.live[tuple(index)])

    def beyond(self) -> "Layer":
        """Return a layer of the same shape where there is nothing: beyond the survey's edge."""
        return Layer(np.zeros_like(self.labels), np.zeros_like(self.live))


class Faces:
    """Counts the outer faces of components, and those of them where the data end."""

    def __init__(self) -> None:
        """Begin with none."""
        self._outer: list[tuple[Integers, Integers]] = []
        self._cut: list[tuple[Integers, Integers]] = []

    def add(self, one: Layer, other: Layer) -> None:
        """Count the faces between two layers of one shape, each sample meeting its neighbour."""
        for inner, outer in ((one, other), (other, one)):
            open_faces = (inner.labels > 0) & (outer.labels == 0)
            self._outer.append(_counted(inner.labels[open_faces]))
            self._cut.append(_counted(inner.labels[open_faces & ~outer.live]))

    def add_within(self, brick: Layer, axis: int) -> None:
        """Count the faces between the samples of a brick, along an axis."""
        self.add(brick.at(axis, slice(None, -1)), brick.at(axis, slice(1, None)))

    def totals(self, labels: int) -> tuple[Integers, Integers]:
        """Return outer faces, and cut ones, int64 (labels + 1,), by label."""
        return _summed(self._outer, labels), _summed(self._cut, labels)


def _counted(labels: Labels) -> tuple[Integers, Integers]:
    numbers, counts = np.unique(labels, return_counts=True)
    return numbers, counts


def _summed(parts: list[tuple[Integers, Integers]], labels: int) -> Integers:
    totals = np.zeros(labels + 1, np.int64)
    for numbers, counts in parts:
        totals[numbers] += counts
    return totals
