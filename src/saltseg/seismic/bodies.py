"""Salt bodies: components of the mask in three dimensions, found brick by brick.

Two samples of salt are of one body if a path leads from one to the other through faces. A brick is
labelled by itself (scipy.ndimage.label); labels that meet at a face between bricks are united
(scipy.cluster.hierarchy.DisjointSet). Bodies are numbered from the largest on, and neither they nor
their numbers depend on the bricks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import ndimage
from scipy.cluster.hierarchy import DisjointSet

from saltseg.plumbing.progress import progress
from saltseg.seismic.bricks import Brick, Faces, Layer, Shape, bricks, count_bricks
from saltseg.seismic.columns import Integers
from saltseg.seismic.store import SHARD, StoredSurvey

SIDE: Shape = (SHARD, SHARD, SHARD)
_FIXED = 1 << 30
"""Probabilities are summed in units of 1 / _FIXED: whole numbers do not depend on the order."""
_LEAST, _MOST = ("i0", "c0", "s0"), ("i1", "c1", "s1")
_FAR = np.int64(np.iinfo(np.int64).max)
_ROWS = 16
"""Inlines of a brick that are measured at once: less memory than for the whole of it."""
_SHOWN_FROM = 8
"""Bricks from which on progress is shown."""


@dataclass(frozen=True)
class Bodies:
    """The bodies of a store, and how to label it.

    table: one row for each body that was kept, in the order of its number, from 1: samples, i0, i1,
    c0, c1, s0, s1 (first and last place along each axis, counted from 0), apex (place of its
    shallowest sample), total (sum of probabilities), outer and cut (faces). numbers: int32, the
    body of each label, 0 for those left out. offsets: what is added to a brick's own labels.
    removed, removed_samples: bodies, and their samples, smaller than least.
    """

    shape: Shape
    side: Shape
    table: pd.DataFrame
    numbers: npt.NDArray[np.int32]
    offsets: Integers
    least: int
    removed: int
    removed_samples: int

    def labelled(self, store: StoredSurvey) -> Iterator[tuple[Brick, npt.NDArray[np.int32]]]:
        """Yield each brick with the body of each of its samples, 0 outside of all."""
        for offset, brick in zip(self.offsets, bricks(self.shape, self.side), strict=True):
            labels = ndimage.label(_mask(store, brick)[0])[0].astype(np.int64)
            labels[labels > 0] += offset
            yield brick, self.numbers[labels]


@dataclass
class _Labeller:
    """Labels brick after brick, and keeps of the earlier ones only the layers that others meet."""

    store: StoredSurvey
    side: Shape
    count: int = 0
    offsets: list[int] = field(default_factory=list)
    parts: list[pd.DataFrame] = field(default_factory=list)
    faces: Faces = field(default_factory=Faces)
    united: DisjointSet = field(default_factory=DisjointSet)
    ends: dict[tuple[int, int, int], Layer] = field(default_factory=dict)
    """The last layer of a brick, by axis and the brick's place along the two other axes."""

    def take(self, brick: Brick) -> None:
        """Label the next brick."""
        mask, live = _mask(self.store, brick)
        labels, found = ndimage.label(mask)
        self.offsets.append(self.count)
        self.parts.append(self._measured(brick, labels, found))
        layer = Layer(np.where(labels > 0, labels.astype(np.int64) + self.count, 0), live)
        self.count += found
        for axis in range(3):
            if not (axis == 0 and self.store.grid.line):
                self._meet(brick, layer, axis)

    def _meet(self, brick: Brick, layer: Layer, axis: int) -> None:
        """Count a brick's faces along an axis, and unite what meets the brick before."""
        self.faces.add_within(layer, axis)
        across = [place for place in range(3) if place != axis]
        key = (axis, brick.first[across[0]], brick.first[across[1]])
        first, last = layer.at(axis, 0), layer.at(axis, -1)
        before = self.ends.pop(key, None)
        self.faces.add(before or first.beyond(), first)
        if before is not None:
            self._unite(before, first)
        if brick.last[axis] == self.store.shape[axis]:
            self.faces.add(last, last.beyond())
        else:
            self.ends[key] = Layer(last.labels.copy(), last.live.copy())

    def _unite(self, one: Layer, other: Layer) -> None:
        meeting = (one.labels > 0) & (other.labels > 0)
        pairs = np.stack([one.labels[meeting], other.labels[meeting]], axis=1)
        for first, second in np.unique(pairs, axis=0).tolist():
            self.united.add(first)
            self.united.add(second)
            self.united.merge(first, second)

    def _measured(self, brick: Brick, labels: npt.NDArray[np.int32], found: int) -> pd.DataFrame:
        """Return what is known of each label of a brick, gathered a few rows at a time."""
        measured = {name: np.zeros(found, np.int64) for name in ("samples", "total")}
        measured |= {name: np.full(found, _FAR) for name in ("apex", *_LEAST)}
        measured |= {name: np.full(found, -1, np.int64) for name in _MOST}
        probability = self.store.block("probability", *brick.slices)
        for row in range(0, len(labels), _ROWS):
            rows = slice(row, row + _ROWS)
            first = (brick.first[0] + row, *brick.first[1:])
            self._measure(measured, labels[rows], probability[rows], first)
        return pd.DataFrame(measured)

    def _measure(
        self,
        measured: dict[str, Integers],
        labels: npt.NDArray[np.int32],
        probability: npt.NDArray[np.floating],
        first: Shape,
    ) -> None:
        """Add samples of a brick, the first of which lies at `first`, to what is known."""
        inside = np.nonzero(labels)
        owner = labels[inside].astype(np.int64) - 1
        places = [index + start for index, start in zip(inside, first, strict=True)]
        rows, columns, samples = places
        high, wide, _ = self.store.shape
        fixed = np.rint(probability[inside].astype(np.float64) * _FIXED).astype(np.int64)
        measured["samples"] += np.bincount(owner, minlength=len(measured["samples"]))
        np.add.at(measured["total"], owner, fixed)
        np.minimum.at(measured["apex"], owner, (samples * high + rows) * wide + columns)
        for least, most, index in zip(_LEAST, _MOST, places, strict=True):
            np.minimum.at(measured[least], owner, index)
            np.maximum.at(measured[most], owner, index)


def find_bodies(store: StoredSurvey, least: int, side: Shape = SIDE) -> Bodies:
    """Find the bodies of at least `least` samples in a store's mask, where there is data.

    Memory holds a brick of `side`, and the layers at which bricks meet.
    """
    labeller = _Labeller(store, side)
    count = count_bricks(store.shape, side)
    parts = bricks(store.shape, side)
    for brick in progress(parts, "salt bodies", count) if count >= _SHOWN_FROM else parts:
        labeller.take(brick)
    labels = pd.concat(labeller.parts, ignore_index=True)
    outer, cut = labeller.faces.totals(labeller.count)
    labels["outer"], labels["cut"] = outer[1:], cut[1:]
    roots = np.arange(1, labeller.count + 1)
    for label in labeller.united:
        roots[label - 1] = labeller.united[label]
    components = _merged(labels, roots)
    kept = components[components["samples"] >= least]
    numbers = np.zeros(labeller.count + 1, np.int32)
    order = pd.Series(np.arange(1, len(kept) + 1), index=kept.index)
    numbers[1:] = order.reindex(roots, fill_value=0).to_numpy()
    small = components[components["samples"] < least]
    return Bodies(
        store.shape,
        side,
        kept.reset_index(drop=True),
        numbers,
        np.array(labeller.offsets, np.int64),
        least,
        len(small),
        int(small["samples"].sum()),
    )


def _merged(labels: pd.DataFrame, roots: Integers) -> pd.DataFrame:
    """Put the labels of each component together; the largest first, of equals the shallower."""
    how = dict.fromkeys(("samples", "total", "outer", "cut"), "sum")
    how |= dict.fromkeys(("apex", *_LEAST), "min") | dict.fromkeys(_MOST, "max")
    merged: pd.DataFrame = labels.groupby(roots).agg(how)
    merged["total"] /= _FIXED
    return merged.sort_values(["samples", "apex"], ascending=[False, True])


def _mask(store: StoredSurvey, brick: Brick) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return where there is salt, and where there is data."""
    live = store.block("live", *brick.slices)
    return store.block("mask", *brick.slices) & live, live
