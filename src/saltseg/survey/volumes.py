"""A volume, made inline by inline; each depends only on the seed and the volume's size."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.memory import keep_freed_memory
from saltseg.survey.grid import Field, Grid, Mask
from saltseg.survey.imaging import Migration
from saltseg.survey.sections import Earth, Levels, Section, earths, finished
from saltseg.survey.streams import Nodes
from saltseg.survey.style import Setting, draw_volume_setting
from saltseg.survey.surroundings import Crest, SaltPlanes, find_crest
from saltseg.survey.workers import prefetched

SALT_SHARE = 0.04, 0.45
"""Smallest and largest share of salt with which a drawn volume is accepted."""

LOOKS = 9
"""Inlines used to estimate a volume's share of salt."""

LEVEL_LOOKS = 3
"""Inlines used to estimate a volume's amplitudes."""

_CHUNK = 32
"""Inlines whose salt is cleaned together; the result does not depend on it."""


@dataclass(frozen=True)
class Volume:
    """The properties shared by all inlines of a volume."""

    setting: Setting
    crest: Crest | None
    levels: Levels


@dataclass(frozen=True)
class Block:
    """Consecutive inlines, shape (inlines, crosslines, samples).

    amplitude: float32, as displayed. salt: bool, the interpreter's outline.
    """

    first: int
    amplitude: Field
    salt: Mask


def draw_volume(seed: int, grid: Grid, style: str = "default") -> Volume:
    """Draw a volume's shared properties; the first draw with an acceptable share of salt wins."""
    looks = _spread(grid.inlines, LOOKS)
    for attempt in count():
        setting = draw_volume_setting(seed, grid, attempt, style)
        planes = SaltPlanes(setting)
        salt = np.mean([grid.usable(planes.plane(inline)).mean() for inline in looks])
        if SALT_SHARE[0] <= salt <= SALT_SHARE[1]:
            break
    crest = find_crest(planes, looks)
    return Volume(setting, crest, _levels(planes, crest))


def make_inlines(volume: Volume, inlines: range) -> Iterator[Section]:
    """Yield finished inlines in turn."""
    setting = replace(volume.setting, nodes=Nodes())
    planes, migration = SaltPlanes(setting), Migration(setting)
    reach = migration.reach
    window: deque[tuple[Earth, npt.NDArray[np.complex64]]] = deque(maxlen=2 * reach + 1)
    last = inlines.stop + reach
    for first in range(inlines.start - reach, last, _CHUNK):
        part = range(first, min(first + _CHUNK, last))
        for earth in earths(planes, part, volume.crest):
            window.append((earth, migration.spectrum(earth.impedance)))
            if len(window) == 2 * reach + 1:
                spectra = [spectrum for _earth, spectrum in window]
                yield finished(window[reach][0], migration, spectra, volume.levels)[0]


def make_block(volume: Volume, inlines: range) -> Block:
    """Make consecutive inlines."""
    return _block(inlines.start, list(make_inlines(volume, inlines)))


def make_blocks(volume: Volume, size: int, workers: int) -> Iterator[Block]:
    """Yield the blocks of a volume in order; neither `size` nor `workers` affects the bytes.

    size: inlines per block. A single process works inline by inline, and yields each.
    """
    inlines = range(volume.setting.grid.inlines)
    if workers < 2:
        keep_freed_memory()
        sections = make_inlines(volume, inlines)
        yield from (_block(inline, [section]) for inline, section in enumerate(sections))
        return
    parts = [inlines[first : first + size] for first in inlines[::size]]
    yield from prefetched(partial(make_block, volume), parts, workers, ahead=workers)


def _block(first: int, sections: list[Section]) -> Block:
    amplitude = np.stack([np.ascontiguousarray(section.amplitude.T) for section in sections])
    salt = np.stack([np.ascontiguousarray(section.salt.T) for section in sections])
    return Block(first, amplitude, salt)


def _levels(planes: SaltPlanes, crest: Crest | None) -> Levels:
    """Return the mean levels of a few inlines, imaged without their neighbours."""
    grid = planes.setting.grid
    migration = Migration(planes.setting, reach=0)
    found = []
    for inline in _spread(grid.inlines, LEVEL_LOOKS):
        earth = next(earths(planes, range(inline, inline + 1), crest))
        found.append(finished(earth, migration, [migration.spectrum(earth.impedance)], None)[1])
    return Levels(
        float(np.mean([levels.signal for levels in found])),
        float(np.mean([levels.white for levels in found])),
    )


def _spread(inlines: int, number: int) -> list[int]:
    """Return `number` evenly spread inlines, or all if there are fewer."""
    number = min(number, inlines)
    return [int((step + 0.5) * inlines / number) for step in range(number)]
