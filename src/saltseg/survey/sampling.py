"""Crops from sections, by quotas of the real coverage classes: every survey has all of them."""

import hashlib
import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np
import numpy.typing as npt

from saltseg.crops import SIZE
from saltseg.progress import progress
from saltseg.seeds import generator
from saltseg.survey.display import to_grey
from saltseg.survey.grid import USABLE, Mask
from saltseg.survey.sections import Section, make_section

CLASS_COUNTS = np.array([1562, 576, 296, 224, 186, 225, 205, 174, 148, 159, 245])
"""Real train crops of each coverage class ceil(10 * coverage)."""

VERTICAL_SHARE = 0.046
"""Share of vertical masks (all rows equal) among the real non-empty train masks."""

BLACK_SHARES = ((100, 0.32), (200, 0.11), (250, 0.06), (300, 0.04), (400, 0.011))
"""Share of black crops among all down to a depth in feet, from each depth to the next."""

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
    row, column = rng.integers(0, USABLE - TILES * SIZE + 1, 2)
    places = [(row + SIZE * i, column + SIZE * j) for i in range(TILES) for j in range(TILES)]
    tiles = [_cut(section, rng, *places[index]) for index in rng.permutation(len(places))]
    return [tile for tile in tiles if tile is not None]


def _cut(section: Section, rng: np.random.Generator, row: int, column: int) -> Tile | None:
    """Cut one tile, black by chance where it is shallow and empty; None where it is water."""
    black_draw = rng.random()
    window = slice(row, row + SIZE), slice(column, column + SIZE)
    mask = section.salt[window]
    noisy_mask = mask if section.columns is None else section.columns[window]
    if section.water[window].mean() > MAX_WATER or mask.all() or noisy_mask.all():
        return None
    depth = section.setting.top_depth + int(row)
    empty = not (mask.any() or noisy_mask.any())
    black = empty and black_draw < _black_share(depth)
    image = to_grey(section.amplitude[window] * (not black))
    setting = section.setting
    place = setting.section, setting.survey, int(row), int(column)
    return Tile(*place, depth, image, mask.copy(), noisy_mask.copy())


def _black_share(depth: int) -> float:
    return next((share for end, share in BLACK_SHARES if depth < end), 0.0)


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
        salt = crops - self._quotas[0]
        self._vertical_left = int(np.ceil(salt * VERTICAL_SHARE)) if label_noise else 0

    @property
    def full(self) -> bool:
        """Whether every class has its crops."""
        return bool((self._counts >= self._quotas).all())

    def take(self, tiles: list[Tile]) -> list[Tile]:
        """Take up to PER_SECTION tiles, each time one of the class that is filled least."""
        taken: list[Tile] = []
        left = list(tiles)
        while left and len(taken) < PER_SECTION:
            left = [tile for tile in left if self._wanted(tile)]
            if left:
                fill = [self._fill(tile) for tile in left]
                taken.append(left.pop(int(np.argmin(fill))))
                self._count(taken[-1])
        self.tiles.extend(taken)
        return taken

    def label(self, tile: Tile) -> Mask:
        """Return a tile's mask in this split."""
        return tile.noisy_mask if self._label_noise else tile.mask

    def _wanted(self, tile: Tile) -> bool:
        if self._is_vertical_noise(tile) and self._vertical_left == 0:
            return False
        return self._fill(tile) < 1

    def _fill(self, tile: Tile) -> float:
        number = coverage_class(self.label(tile))
        quota = self._quotas[number]
        return float(self._counts[number] / quota) if quota else 1.0

    def _count(self, tile: Tile) -> None:
        self._counts[coverage_class(self.label(tile))] += 1
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
