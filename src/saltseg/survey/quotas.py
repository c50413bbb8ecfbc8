"""Quotas of the real coverage classes, depths and black crops: every survey has all of them."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from saltseg.coverage import coverage_class, is_vertical
from saltseg.survey.grid import Mask
from saltseg.survey.tiles import Tile

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

PER_SECTION = 14
"""Crops taken from a section at the most, so that no section rules a class."""


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
        number = self._class(tile)
        quota = self._quotas[number]
        return float(self._counts[number] / quota) if quota else 1.0

    def _class(self, tile: Tile) -> int:
        label = self.label(tile)
        return int(coverage_class(label.sum(dtype=np.int64), label.size))

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
        self._counts[self._class(tile)] += 1
        self._cells[self._cell(tile)] += 1
        self._vertical_left -= self._is_vertical_noise(tile)

    def _is_vertical_noise(self, tile: Tile) -> bool:
        return self._label_noise and bool(is_vertical(self.label(tile)[None])[0])
