"""Cutting a section into tiles, from which crops are chosen."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from saltseg.config.model_definitions import CROP
from saltseg.crops.coverage import CLASSES, coverage_class
from saltseg.plumbing.seeds import generator
from saltseg.survey.display import to_grey
from saltseg.survey.grid import USABLE, Mask
from saltseg.survey.sections import Section, make_section

GRIDS = 50
"""Random grids tried in a section; the one with the most tiles of a wanted class is cut."""

WANTED_SHARES = np.array([0, 0.16, 0.15, 0.12, 0.09, 0.11, 0.14, 0.08, 0.05, 0.06, 0.04])
"""How often each coverage class is wanted; favours those that random grids rarely show."""

MAX_WATER = 0.93
"""A crop with more water than this shows nothing and is not cut."""

TILES = USABLE // CROP
"""Rows and columns of the grid of crops in a section."""


@dataclass(frozen=True)
class Tile:
    """A crop as it is cut, with what is needed to choose it.

    section: the section's number. row, column: its upper left pixel in the section. mask: for a
    test crop. noisy_mask: for a train crop; differs from `mask` if there is label noise.
    """

    section: int
    survey: int
    row: int
    column: int
    depth: int
    image: npt.NDArray[np.uint8]
    mask: Mask
    noisy_mask: Mask


def cut_tiles(seed: int, style: str, number: int) -> list[Tile]:
    """Cut a section along a grid with a random offset; the tiles come in a random order."""
    section = make_section(seed, number, style)
    rng = generator(seed, "survey", "section", number, "tiles")
    last = USABLE - TILES * CROP
    grids = rng.integers(-8, last + 9, (GRIDS, 2)).clip(0, last)
    wanted = rng.choice(len(WANTED_SHARES), p=WANTED_SHARES)
    row, column = grids[int(np.argmax(_class_counts(section.salt, grids)[:, wanted]))]
    places = [(row + CROP * i, column + CROP * j) for i in range(TILES) for j in range(TILES)]
    tiles = [_cut(rng, section, *places[index]) for index in rng.permutation(len(places))]
    return [tile for tile in tiles if tile is not None]


def _class_counts(salt: Mask, grids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count the tiles of each coverage class on each grid, from one table of summed areas."""
    areas = np.zeros((USABLE + 1, USABLE + 1), np.int32)
    areas[1:, 1:] = salt.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    lines = CROP * np.arange(TILES + 1)
    rows = grids[:, 0, None, None] + lines[:, None]
    columns = grids[:, 1, None, None] + lines
    pixels = np.diff(np.diff(areas[rows, columns], axis=1), axis=2)
    classes = coverage_class(pixels.astype(np.int64), CROP**2).reshape(len(grids), -1)
    return np.stack([(classes == number).sum(axis=1) for number in range(CLASSES)], axis=1)


def _cut(rng: Generator, section: Section, row: int, column: int) -> Tile | None:
    """Cut one tile; None if it is mostly water or all salt."""
    window = slice(row, row + CROP), slice(column, column + CROP)
    mask = section.salt[window]
    noisy_mask = mask if section.columns is None else section.columns[window]
    if section.water[window].mean() > MAX_WATER or mask.all() or noisy_mask.all():
        return None
    depth = section.setting.top_depth + int(row)
    image = to_grey(section.amplitude[window], _shortfalls(rng))
    setting = section.setting
    place = setting.section, setting.survey, int(row), int(column)
    return Tile(*place, depth, image, mask.copy(), noisy_mask.copy())


def _shortfalls(rng: Generator) -> tuple[float, float]:
    """Return how many grey levels a crop falls short of 0 and of 255: mostly none.

    One real crop in ten does, by up to five levels, as if it had once been compressed.
    """
    low, high = np.maximum(rng.exponential(size=2) - 2.5, 0)
    return float(low), float(high)


def tile_id(seed: int, tile: Tile) -> str:
    """Return ten hex digits that do not reveal a crop's position."""
    place = f"{seed}/{tile.section}/{tile.row}/{tile.column}"
    return hashlib.sha256(place.encode()).hexdigest()[:10]
