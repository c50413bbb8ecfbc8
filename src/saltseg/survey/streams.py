"""Random streams of the steps of a survey: equal on every inline, except for varying fields."""

from collections.abc import Iterable

import numpy as np

from saltseg.plumbing.seeds import generator, stream_seed
from saltseg.survey.grid import Field, Grid

SHORTEST_LENGTH = 1.5
"""Shortest correlation length along inlines, in inlines."""

NODES_PER_LENGTH = 1 / 0.87
"""Nodes in a correlation length: a cubic B-spline between them is as wide as the field's own
Gaussian (its deviation is spacing / sqrt(3), the Gaussian's length / 2)."""

Key = tuple[str | int, ...]


class Nodes:
    """A cache of independent normals at nodes along the inlines.

    The cache never affects a result: a node's values depend on the seed, its stream and its number
    alone.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[Key, dict[int, Field]] = {}

    def values(self, seed: int, key: Key, numbers: Iterable[int], count: int) -> list[Field]:
        """Return `count` standard normals for each of the nodes, and drop all others."""
        old = self._kept.get(key, {})
        new = {
            number: old[number] if number in old else _node(seed, key, number, count)
            for number in numbers
        }
        self._kept[key] = new
        return list(new.values())


class Stream(np.random.Generator):
    """A numpy generator for one step, restarted on each inline.

    Scalars and logs are the same on every inline; `normals` vary smoothly from one to the next. So
    any inline can be made on its own. In a section, everything is drawn from the generator itself.
    """

    def __init__(self, seed: int, names: Key, grid: Grid, inline: int, nodes: Nodes) -> None:
        """Start the stream of `names` on an inline of a grid."""
        super().__init__(np.random.PCG64(stream_seed(seed, *names)))
        self.grid = grid
        self.inline = inline
        self._seed = seed
        self._names = names
        self._nodes = nodes
        self._fields = 0

    def branch(self, *names: str | int) -> "Stream":
        """Return a stream for one of many features; in a section, this stream."""
        if self.grid.is_section:
            return self
        place = (*self._names, *names)
        return Stream(self._seed, place, self.grid, self.inline, self._nodes)

    def normals(self, shape: tuple[int, ...], lengths: float | Field) -> Field:
        """Return standard normals (float32) that are correlated over `lengths` inlines.

        lengths: Gaussian correlation lengths as in fields.smooth_field; an array broadcasts to
        `shape`, and each of its values is rounded to an octave.
        """
        if self.grid.is_section:
            return self.standard_normal(shape, dtype=np.float32)
        self._fields += 1
        key = (*self._names, "field", self._fields)
        if isinstance(lengths, int | float):
            count = int(np.prod(shape))
            return self._blended(key, count, max(lengths, SHORTEST_LENGTH)).reshape(shape)
        values = np.empty(shape, np.float32)
        octaves = np.round(np.log2(np.maximum(lengths, SHORTEST_LENGTH))).astype(np.int8)
        octaves = np.broadcast_to(octaves, shape)
        for octave in np.unique(octaves).tolist():
            chosen = octaves == octave
            values[chosen] = self._blended((*key, octave), int(chosen.sum()), 2.0**octave)
        return values

    def _blended(self, key: Key, count: int, length: float) -> Field:
        """Blend the four nodes about this inline, so that the variance stays 1."""
        place = self.inline * NODES_PER_LENGTH / length
        first = int(np.floor(place))
        weights = _spline(place - first)
        numbers = range(first - 1, first + 3)
        values = np.zeros(count, np.float32)
        nodes = self._nodes.values(self._seed, key, numbers, count)
        for weight, node in zip(weights, nodes, strict=True):
            values += np.float32(weight) * node
        return values


def _spline(t: float) -> list[float]:
    """Return the weights of a uniform cubic B-spline, scaled to a sum of squares of 1."""
    weights = np.array(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3]
    )
    scaled: list[float] = (weights / np.sqrt(np.square(weights).sum())).tolist()
    return scaled


def _node(seed: int, key: Key, number: int, count: int) -> Field:
    return generator(seed, *key, number).standard_normal(count, dtype=np.float32)
