"""Crops from sections, by quotas of the real coverage classes: every survey has all of them."""

import hashlib
import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import numpy as np
import numpy.typing as npt

from saltseg.crops import SIZE
from saltseg.progress import progress
from saltseg.seeds import generator
from saltseg.survey.display import to_grey
from saltseg.survey.grid import USABLE, Field, Mask
from saltseg.survey.sections import Section, make_section

CLASS_COUNTS = np.array([1562, 576, 296, 224, 186, 225, 205, 174, 148, 159, 245])
"""Real train crops of each coverage class ceil(10 * coverage)."""

VERTICAL_SHARE = 0.046
"""Share of vertical masks (all rows equal) among the real non-empty train masks."""

BLACK_DEPTHS = (100, 200, 250, 300, 400)
BLACK_SHARES = (0.36, 0.15, 0.115, 0.10, 0.033, 0.0)
"""Edges of depth bins in feet, and the share of black crops among the real empty ones in each."""

SALT_DEPTHS = (200, 300, 400, 500, 600, 700, 800)
"""Edges of the depth bins, in feet, in which the set has the real share of crops with salt."""

DEPTH_SHARES = np.array([0.083, 0.096, 0.137, 0.158, 0.170, 0.156, 0.120, 0.080])
SALT_SHARES = np.array([0.25, 0.49, 0.67, 0.70, 0.70, 0.70, 0.63, 0.49])
"""Share of the real crops in each depth bin, and of those with salt among them."""

CELL_SHARES = np.stack([DEPTH_SHARES * (1 - SALT_SHARES), DEPTH_SHARES * SALT_SHARES])
"""Share of crops without and with salt, in rows, by depth bin."""

MAX_CELL_FILL = 1.05
"""A bin takes a twentieth more than its share at the most; exactness would need many sections."""

GRIDS = 50
"""Random grids that are tried in a section; the one with most tiles of a wanted class is cut."""

WANTED_SHARES = np.array([0, 0.12, 0.11, 0.11, 0.09, 0.11, 0.15, 0.08, 0.05, 0.12, 0.06])
"""How often each coverage class is the wanted one: those that random grids seldom show."""

MAX_WATER = 0.93
"""A crop with more water than this shows nothing and is not cut."""

PER_SECTION = 14
"""Crops taken from a section at the most, so that no section rules a class."""

TILES = USABLE // SIZE
"""Rows and columns of the grid of crops in a section."""


@dataclass(frozen=True)
class Tile:
    """A crop as it is cut, with what is needed to choose it.

    section: the section's number. row, column: its upper left pixel in the section. mask: what a
    test crop has. noisy_mask: what a train crop has, other than `mask` where label noise struck.
    """

    section: int
    survey: int
    row: int
    column: int
    depth: int
    image: npt.NDArray[np.uint8]
    mask: Mask
    noisy_mask: Mask


def cut_tiles(seed: int, number: int) -> list[Tile]:
    """Cut a section along a grid with a random offset; the tiles come in a random order."""
    section = make_section(seed, number)
    rng = generator(seed, "survey", "section", number, "tiles")
    grids = rng.integers(0, USABLE - TILES * SIZE + 1, (GRIDS, 2))
    wanted = rng.choice(len(WANTED_SHARES), p=WANTED_SHARES)
    row, column = grids[int(np.argmax(_class_counts(section.salt, grids)[:, wanted]))]
    places = [(row + SIZE * i, column + SIZE * j) for i in range(TILES) for j in range(TILES)]
    tiles = [_cut(section, *places[index]) for index in rng.permutation(len(places))]
    return [tile for tile in tiles if tile is not None]


def _class_counts(salt: Mask, grids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count the tiles of each coverage class on each grid, from one table of summed areas."""
    areas = np.zeros((USABLE + 1, USABLE + 1), np.int32)
    areas[1:, 1:] = salt.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    lines = SIZE * np.arange(TILES + 1)
    rows = grids[:, 0, None, None] + lines[:, None]
    columns = grids[:, 1, None, None] + lines
    pixels = np.diff(np.diff(areas[rows, columns], axis=1), axis=2)
    classes = -(-10 * pixels // SIZE**2).reshape(len(grids), -1)
    return np.stack([(classes == number).sum(axis=1) for number in range(11)], axis=1)


def _cut(section: Section, row: int, column: int) -> Tile | None:
    """Cut one tile; None where it is water or all salt."""
    window = slice(row, row + SIZE), slice(column, column + SIZE)
    mask = section.salt[window]
    noisy_mask = mask if section.columns is None else section.columns[window]
    if section.water[window].mean() > MAX_WATER or mask.all() or noisy_mask.all():
        return None
    depth = section.setting.top_depth + int(row)
    image = _grey(section.amplitude, row, column)
    setting = section.setting
    place = setting.section, setting.survey, int(row), int(column)
    return Tile(*place, depth, image, mask.copy(), noisy_mask.copy())


def _grey(amplitude: Field, row: int, column: int) -> npt.NDArray[np.uint8]:
    """Scale a crop by the least and largest value in it or one pixel beyond.

    A few of the real crops end just short of 0 or 255, as if their scale had been taken so.
    """
    around = amplitude[row : row + SIZE + 1, column : column + SIZE + 1]
    return to_grey(amplitude[row : row + SIZE, column : column + SIZE], around)


def coverage_class(mask: Mask) -> int:
    """Return ceil(10 * coverage) of a mask."""
    return -(-10 * int(mask.sum()) // mask.size)


def class_quotas(crops: int) -> npt.NDArray[np.int64]:
    """Divide `crops` over the coverage classes by largest remainder."""
    exact = CLASS_COUNTS * (crops / CLASS_COUNTS.sum())
    quotas = np.floor(exact).astype(np.int64)
    most_missing = np.argsort(quotas - exact, kind="stable")
    quotas[most_missing[: crops - quotas.sum()]] += 1
    return quotas


class Split:
    """The crops of one split as they are collected, and what is still wanted."""

    def __init__(self, crops: int, *, label_noise: bool) -> None:
        """Want `crops` crops, with the label noise of real train crops or without."""
        self.tiles: list[Tile] = []
        self._label_noise = label_noise
        self._quotas = class_quotas(crops)
        self._counts = np.zeros_like(self._quotas)
        self._cells = np.zeros_like(CELL_SHARES)
        self._empty = np.zeros_like(BLACK_SHARES, np.int64)
        salt = crops - self._quotas[0]
        self._vertical_left = int(np.ceil(salt * VERTICAL_SHARE)) if label_noise else 0

    @property
    def full(self) -> bool:
        """Whether every class has its crops."""
        return bool((self._counts >= self._quotas).all())

    def take(self, tiles: list[Tile]) -> list[Tile]:
        """Take up to PER_SECTION tiles, each time of the class and depth that are filled least."""
        taken: list[Tile] = []
        left = list(tiles)
        while left and len(taken) < PER_SECTION:
            left = [tile for tile in left if self._wanted(tile)]
            if left:
                fill = [self._fill(tile) + 3 * self._cell_fill(tile) for tile in left]
                taken.append(self._blackened(left.pop(int(np.argmin(fill)))))
                self._count(taken[-1])
        self.tiles.extend(taken)
        return taken

    def label(self, tile: Tile) -> Mask:
        """Return a tile's mask in this split."""
        return tile.noisy_mask if self._label_noise else tile.mask

    def _wanted(self, tile: Tile) -> bool:
        if self._is_vertical_noise(tile) and self._vertical_left == 0:
            return False
        return self._fill(tile) < 1 and self._cell_fill(tile) < MAX_CELL_FILL

    def _fill(self, tile: Tile) -> float:
        number = coverage_class(self.label(tile))
        quota = self._quotas[number]
        return float(self._counts[number] / quota) if quota else 1.0

    def _blackened(self, tile: Tile) -> Tile:
        """Return a tile as it is or, one in so many shallow tiles without salt, black."""
        if tile.mask.any() or tile.noisy_mask.any():
            return tile
        depth_bin = int(np.digitize(tile.depth, BLACK_DEPTHS))
        share, before = BLACK_SHARES[depth_bin], int(self._empty[depth_bin])
        self._empty[depth_bin] += 1
        black = int(share * (before + 1) + 0.5) > int(share * before + 0.5)
        return replace(tile, image=np.zeros_like(tile.image)) if black else tile

    def _cell_fill(self, tile: Tile) -> float:
        cell = self._cell(tile)
        return float(self._cells[cell] / (CELL_SHARES[cell] * self._quotas.sum() + 1))

    def _cell(self, tile: Tile) -> tuple[int, int]:
        """Return whether a tile holds salt, and its depth bin."""
        return int(self.label(tile).any()), int(np.digitize(tile.depth, SALT_DEPTHS))

    def _count(self, tile: Tile) -> None:
        self._counts[coverage_class(self.label(tile))] += 1
        self._cells[self._cell(tile)] += 1
        self._vertical_left -= self._is_vertical_noise(tile)

    def _is_vertical_noise(self, tile: Tile) -> bool:
        label = self.label(tile)
        return self._label_noise and bool(label.any() and (label == label[0]).all())


def collect(train: int, test: int, seed: int, workers: int) -> tuple[Split, Split]:
    """Fill both splits from sections in turn; no section gives crops to both."""
    train_split, test_split = Split(train, label_noise=True), Split(test, label_noise=False)
    tiles = _taken(train_split, test_split, test / (train + test), _sections(seed, workers))
    for _ in progress(tiles, "crops of the survey", train + test):
        pass
    return train_split, test_split


def _taken(
    train: Split, test: Split, test_share: float, sections: Iterator[list[Tile]]
) -> Iterator[Tile]:
    """Yield each tile that a split takes, until both are full.

    The section's number decides whose turn it is, in proportion to the crops that are wanted.
    """
    for number, tiles in enumerate(sections):
        tests_turn = int((number + 1) * test_share) > int(number * test_share)
        split = test if train.full or (tests_turn and not test.full) else train
        yield from split.take(tiles)
        if train.full and test.full:
            return


def _sections(seed: int, workers: int) -> Iterator[list[Tile]]:
    """Yield the tiles of section after section, made ahead by `workers` processes."""
    cut = partial(cut_tiles, seed)
    if workers < 2:
        yield from map(cut, count())
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        ahead = deque(pool.submit(cut, number) for number in range(2 * workers))
        try:
            for number in count(2 * workers):
                yield ahead.popleft().result()
                ahead.append(pool.submit(cut, number))
        finally:
            pool.shutdown(cancel_futures=True)


def tile_id(seed: int, tile: Tile) -> str:
    """Return ten hex digits that say nothing of where a crop lies."""
    place = f"{seed}/{tile.section}/{tile.row}/{tile.column}"
    return hashlib.sha256(place.encode()).hexdigest()[:10]
