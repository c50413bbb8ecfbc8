"""Salt on and around an inline, cleaned of specks, and the distance of beds from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from saltseg.survey.fields import block_side, enlarged, shrunk, smoothed_blocks
from saltseg.survey.grid import Field, Mask
from saltseg.survey.plan import Plan
from saltseg.survey.salt import draw_salt
from saltseg.survey.streams import Stream
from saltseg.survey.style import Setting
from saltseg.survey.water import draw_water

SMALLEST_BODY = 1500
"""Smallest piece of salt on a section, and smallest hole in salt, in pixels."""

SPECK = 24
"""Longest speck in inlines; longer pieces of salt are kept."""

_KEPT = 256
"""Planes of salt that are kept in memory, at one bit per pixel."""

STRIDE = 4
"""Spacing in inlines of the planes for distant salt, and the side of their pixel blocks."""

FARTHEST = 320
"""Pixels and inlines beyond which the distance to salt does not matter."""

BEYOND = 48
"""Inlines considered outside a volume: beyond the reach of any filter, in multiples of STRIDE."""


@dataclass(frozen=True)
class Crest:
    """The top of salt on one inline of the survey."""

    inline: int
    columns: npt.NDArray[np.int64]
    """Columns with salt."""
    depths: Field
    """Depth of the top in each column of the grid."""

    def depth(self, column: int) -> float:
        """Return the depth of salt's top in feet."""
        return float(self.depths[column])

    def at(self, plan: Plan, rng: Stream) -> Plan:
        """Move a plan to this inline."""
        return plan if rng.grid.is_section else replace(plan, away=rng.inline - self.inline)


@dataclass(frozen=True)
class Surroundings:
    """The influence on beds of salt that may lie several inlines away.

    crest: of the inline with most salt; None where the survey has no salt. has_subsalt: whether
        anything lies below salt. first: inline of the first of the planes, which are STRIDE apart.
    below: share of each block of pixels that is salt or lies under it, (planes, rows, columns).
    distances: to the nearest such block, in pixels, of the same shape.
    """

    crest: Crest | None
    has_subsalt: bool
    first: int
    below: Field
    distances: Field
    smoothing: float
    """Standard deviation of `nearness` in pixels."""

    def distance(self, inline: int) -> Field:
        """Return each pixel's distance to salt or to the rock below it."""
        return enlarged(self._between(self.distances, inline), STRIDE)

    def nearness(self, inline: int) -> Field:
        """Return the share of each pixel's surroundings that is salt or lies under it, 0 to 1."""
        factor = max(STRIDE, block_side(self.smoothing))
        coarse = shrunk(self._between(self.below, inline), factor // STRIDE)
        return smoothed_blocks(coarse, self.smoothing, factor)

    def _between(self, planes: Field, inline: int) -> Field:
        place = (inline - self.first) / STRIDE
        lower = min(int(place), len(planes) - 1)
        weight = np.float32(place - lower)
        if not weight:
            return planes[lower]
        upper: Field = planes[lower] * (1 - weight) + planes[lower + 1] * weight
        return upper


class SaltPlanes:
    """A cache of the salt of inlines, specks included."""

    def __init__(self, setting: Setting) -> None:
        """Start empty."""
        self.setting = setting
        self._planes: dict[int, npt.NDArray[np.uint8]] = {}

    def plane(self, inline: int) -> Mask:
        """Return where an inline holds salt, shape of the grid."""
        shape = self.setting.grid.shape
        if inline in self._planes:
            packed = self._planes[inline]
            return np.unpackbits(packed, count=shape[0] * shape[1]).reshape(shape).view(np.bool_)
        salt = draw_salt(self.setting.at(inline))
        while len(self._planes) >= _KEPT:
            del self._planes[next(iter(self._planes))]
        self._planes[inline] = np.packbits(salt)
        return salt

    def cleaned(self, inlines: range) -> Mask:
        """Return the salt of these inlines without specks, shape (inlines, rows, columns)."""
        setting, step = self.setting, inlines.step
        reach = 0 if setting.grid.is_section else SPECK // step
        wide = range(inlines.start - reach * step, inlines.stop + reach * step, step)
        planes = np.stack([self.plane(inline) for inline in wide])
        smallest = SMALLEST_BODY * min(1.0, setting.detail**2) * max(1, reach / 2)
        clean = without_specks(planes, smallest, max(reach, 1))
        return clean[reach : len(clean) - reach]


def without_specks(salt: Mask, smallest: float, reach: int) -> Mask:
    """Drop the specks and fill the holes created by the rugosity.

    salt: shape (planes, rows, columns). smallest: size in pixels of the smallest piece to keep.
    reach: pieces through more planes are kept, so that a plane depends on no plane farther away.
    """
    for _ in range(2):
        labels, _count = ndimage.label(salt)
        sizes = np.bincount(labels.ravel())
        sizes[0] = np.iinfo(sizes.dtype).max
        keeps = (sizes >= smallest) | _long(labels, len(sizes), reach)
        salt = ~(salt & keeps[labels])
    return salt


def _long(labels: npt.NDArray[np.int32], count: int, reach: int) -> Mask:
    """Return which pieces extend through more than `reach` planes."""
    long = np.zeros(count, np.bool_)
    if len(labels) <= reach:
        return long
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is not None:
            long[number] = place[0].stop - place[0].start > reach
    return long


def find_crest(planes: SaltPlanes, inlines: Sequence[int]) -> Crest | None:
    """Return the tops of salt on the inline with the most salt; None if there is no salt."""
    masks = [planes.plane(inline) & ~_water(planes.setting, inline) for inline in inlines]
    most = int(np.argmax([mask.sum() for mask in masks]))
    return crest_of(planes.setting, inlines[most], masks[most])


def crest_of(setting: Setting, inline: int, salt: Mask) -> Crest | None:
    """Return the tops of an inline's salt, or None."""
    if not salt.any():
        return None
    depths = setting.depth[salt.argmax(axis=0), 0]
    return Crest(inline, np.flatnonzero(salt.any(axis=0)), depths)


def strided(setting: Setting, inlines: range) -> range:
    """Return the inlines, STRIDE apart, that describe the surroundings of `inlines`."""
    far = FARTHEST + SPECK + STRIDE
    first = max(inlines.start - far, -BEYOND) // STRIDE * STRIDE
    last = min(inlines.stop + far, setting.grid.inlines + BEYOND)
    return range(first, last + STRIDE, STRIDE)


def look_around(setting: Setting, first: int, salts: Mask, crest: Crest | None) -> Surroundings:
    """Return the influence on beds of the salt of planes from inline `first` on, STRIDE apart.

    crest: the volume's; a section has its own.
    """
    grid = setting.grid
    below, has_subsalt = [], False
    for number, salt in enumerate(salts):
        buried = salt & ~_water(setting, first + STRIDE * number)
        crest = crest_of(setting, first, buried) if grid.is_section else crest
        under = np.maximum.accumulate(buried, axis=0)
        has_subsalt |= bool((under & ~buried).any())
        below.append(shrunk(under, STRIDE))
    coarse = np.stack(below)
    free = coarse < 0.5
    far = np.full(coarse.shape, FARTHEST / STRIDE, np.float32)
    distances = far if free.all() else ndimage.distance_transform_edt(free).astype(np.float32)
    distances = distances * STRIDE
    smoothing = 45 * setting.scale
    if not grid.is_section:
        has_subsalt = crest is not None
        smoothing = min(smoothing, FARTHEST / 3.5)
        distances = np.minimum(distances, np.float32(FARTHEST))
        wide = smoothing / STRIDE
        coarse = ndimage.gaussian_filter1d(coarse, wide, axis=0, mode="nearest", truncate=3.0)
    return Surroundings(crest, has_subsalt, first, coarse, distances, smoothing)


def _water(setting: Setting, inline: int) -> Mask:
    there = setting.at(inline)
    return draw_water(there.generator("structure"), there)
