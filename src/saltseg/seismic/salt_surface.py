"""The surface of the salt as triangles, coarse enough to be looked at."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saltseg.seismic.bricks import Shape, bricks
from saltseg.seismic.store import SHARD, StoredSurvey

SIDES = (96, 72, 48, 32, 24, 16)
"""Cells along an axis at the most; the first that gives few enough triangles is taken."""
MOST_TRIANGLES = 60_000


@dataclass(frozen=True)
class Surface:
    """A triangle mesh.

    vertices: float32 (n, 3), places along inlines, crosslines and samples, counted from 0 in the
    survey. triangles: int32 (m, 3), rows of vertices. cell: samples that were put together along
    each axis.
    """

    vertices: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]
    cell: Shape


def salt_surface(labels: StoredSurvey, most: int = MOST_TRIANGLES) -> Surface | None:
    """Return the surface of all bodies; None where there are none, and for a 2D line.

    Marching cubes (Lorensen and Cline 1987, as scikit-image has it) on the share of salt in cells,
    at one half. Where salt meets the survey's edge the surface is closed.
    """
    if labels.grid.line:
        return None
    for side in SIDES:
        rows, columns, samples = (-(-size // side) for size in labels.shape)
        cell = rows, columns, samples
        surface = _surface(_shares(labels, cell), cell)
        if surface is None or len(surface.triangles) <= most:
            break
    return surface


def _shares(labels: StoredSurvey, cell: Shape) -> npt.NDArray[np.float32]:
    """Return the share of salt in cells, read brick by brick; those at the end may be cut."""
    counts = np.zeros([-(-size // step) for size, step in zip(labels.shape, cell, strict=True)])
    whole = np.zeros_like(counts)
    side = tuple(max(SHARD // step, 1) * step for step in cell)
    for brick in bricks(labels.shape, (side[0], side[1], side[2])):
        salt = labels.block("body", *brick.slices) > 0
        steps = zip(brick.first, brick.last, cell, strict=True)
        where = tuple(slice(first // step, -(-last // step)) for first, last, step in steps)
        counts[where] = _summed(salt, cell)
        whole[where] = _summed(np.ones_like(salt), cell)
    return (counts / whole).astype(np.float32)


def _summed(values: npt.NDArray[np.bool_], cell: Shape) -> npt.NDArray[np.float64]:
    summed = values.astype(np.float64)
    for axis, step in enumerate(cell):
        summed = np.add.reduceat(summed, np.arange(0, summed.shape[axis], step), axis=axis)
    return summed


def _surface(shares: npt.NDArray[np.float32], cell: Shape) -> Surface | None:
    from skimage.measure import marching_cubes  # a second that only pages should pay

    padded = np.pad(shares, 1)
    if padded.max() <= 0.5:
        return None
    vertices, triangles, _, _ = marching_cubes(padded, 0.5)
    middle = (np.array(cell) - 1) / 2
    places = (vertices - 1) * np.array(cell) + middle
    return Surface(places.astype(np.float32), triangles.astype(np.int32), cell)
