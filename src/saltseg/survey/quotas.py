"""Quotas that give every survey the real shares of coverage classes, depths and black crops."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from saltseg.crops.coverage import coverage_class, is_vertical
from saltseg.survey.balance import Balance, Traits, traits
from saltseg.survey.tiles import Tile

CLASS_COUNTS = np.array([1562, 576, 296, 224, 186, 225, 205, 174, 148, 159, 245])
"""Real train crops of each coverage class ceil(10 * coverage)."""

VERTICAL_SHARE = 0.046
"""Share of vertical masks (all rows equal) among the real non-empty train masks."""

BLACK_DEPTHS = (100, 200, 250, 300, 400)
BLACK_SHARES = (0.32, 0.11, 0.06, 0.04, 0.011, 0.0)
"""Edges of depth bins in feet, and the share of black crops among the real ones in each."""

SALT_DEPTHS = (200, 300, 400, 500, 600, 700, 800)
"""Edges of the depth bins, in feet, in which the set has the real share of crops with salt."""

DEPTH_SHARES = np.array([0.083, 0.096, 0.137, 0.158, 0.170, 0.156, 0.120, 0.080])
SALT_SHARES = np.array([0.25, 0.49, 0.67, 0.70, 0.70, 0.70, 0.63, 0.49])
"""Share of the real crops in each depth bin, and of those with salt among them."""

CELL_SHARES = np.stack([DEPTH_SHARES * (1 - SALT_SHARES), DEPTH_SHARES * SALT_SHARES])
"""Share of crops without and with salt, in rows, by depth bin."""

MAX_CELL_FILL = 1.03
"""Largest fill of a bin relative to its share; an exact fill would need many sections."""

PER_SECTION = 14
"""Largest number of crops from a section, so that no section dominates a class."""

EMPTY_SLACK = 2
"""Empty crops that each depth may have before it has any with salt."""

LAG = 0.1
"""A class that lags behind the set by this much accepts any mask."""

DEPTH_WEIGHT = 5
BALANCE_WEIGHT = 10
"""Weight of depth and of the balance of traits relative to the class when crops are chosen."""


@dataclass(frozen=True)
class Candidate:
    """A tile that a split may take, and what its mask there shows.

    traits: None where there is no salt.
    """

    tile: Tile
    coverage_class: int
    cell: tuple[int, int]
    vertical: bool
    traits: Traits | None


def class_quotas(crops: int) -> npt.NDArray[np.int64]:
    """Divide `crops` over the coverage classes by largest remainder."""
    exact = CLASS_COUNTS * (crops / CLASS_COUNTS.sum())
    quotas = np.floor(exact).astype(np.int64)
    most_missing = np.argsort(quotas - exact, kind="stable")
    quotas[most_missing[: crops - quotas.sum()]] += 1
    return quotas


class Split:
    """The crops of one split collected so far, and what is still needed."""

    def __init__(self, crops: int, *, label_noise: bool) -> None:
        """Collect `crops` crops, with or without the label noise of real train crops."""
        self.tiles: list[Tile] = []
        self._label_noise = label_noise
        self._quotas = class_quotas(crops)
        self._counts = np.zeros_like(self._quotas)
        self._cells = np.zeros_like(CELL_SHARES)
        self._crops = np.zeros_like(BLACK_SHARES, np.int64)
        self._black = np.zeros_like(BLACK_SHARES, np.int64)
        salt = crops - int(self._quotas[0])
        self._balance = Balance(salt)
        self._vertical_left = int(np.ceil(salt * VERTICAL_SHARE)) if label_noise else 0

    @property
    def full(self) -> bool:
        """Whether every class has its crops."""
        return bool((self._counts >= self._quotas).all())

    def take(self, tiles: list[Tile]) -> list[Tile]:
        """Take up to PER_SECTION tiles, each time the one that the split needs most."""
        taken: list[Tile] = []
        left = [self._candidate(tile) for tile in tiles]
        while left and len(taken) < PER_SECTION:
            left = [candidate for candidate in left if self._wanted(candidate)]
            if left:
                chosen = left.pop(int(np.argmin([self._plenty(candidate) for candidate in left])))
                taken.append(self._blackened(chosen.tile))
                self._count(chosen)
        self.tiles.extend(taken)
        return taken

    def _candidate(self, tile: Tile) -> Candidate:
        label = tile.noisy_mask if self._label_noise else tile.mask
        salt = bool(label.any())
        return Candidate(
            tile,
            int(coverage_class(label.sum(dtype=np.int64), label.size)),
            (int(salt), int(np.digitize(tile.depth, SALT_DEPTHS))),
            self._label_noise and bool(is_vertical(label[None])[0]),
            traits(label) if salt else None,
        )

    def _wanted(self, candidate: Candidate) -> bool:
        if candidate.vertical and self._vertical_left == 0:
            return False
        if self._fill(candidate) >= 1 or self._cell_fill(candidate) >= MAX_CELL_FILL:
            return False
        if candidate.traits is None:
            return self._empty_in_time(candidate.cell[1])
        lags = self._fill(candidate) < len(self.tiles) / self._quotas.sum() - LAG
        return lags or self._balance.allows(candidate.traits)

    def _empty_in_time(self, depth_bin: int) -> bool:
        """Return whether an empty crop would keep the share of crops with salt at its depth.

        Sections have plenty of empty crops, which would otherwise fill up before the others.
        """
        if (self._counts[1:] >= self._quotas[1:]).all():
            return True
        empty, salt = self._cells[:, depth_bin]
        per_salt = CELL_SHARES[0, depth_bin] / CELL_SHARES[1, depth_bin]
        return bool(empty < MAX_CELL_FILL * per_salt * salt + EMPTY_SLACK)

    def _plenty(self, candidate: Candidate) -> float:
        """Return how well the split is supplied with tiles like this one."""
        pull = 0.0 if candidate.traits is None else self._balance.pull(candidate.traits)
        depth = DEPTH_WEIGHT * self._cell_fill(candidate)
        return self._fill(candidate) + depth + BALANCE_WEIGHT * pull

    def _fill(self, candidate: Candidate) -> float:
        quota = self._quotas[candidate.coverage_class]
        return float(self._counts[candidate.coverage_class] / quota) if quota else 1.0

    def _cell_fill(self, candidate: Candidate) -> float:
        wanted = CELL_SHARES[candidate.cell] * self._quotas.sum() + 1
        return float(self._cells[candidate.cell] / wanted)

    def _count(self, candidate: Candidate) -> None:
        self._counts[candidate.coverage_class] += 1
        self._cells[candidate.cell] += 1
        self._vertical_left -= candidate.vertical
        if candidate.traits is not None:
            self._balance.add(candidate.traits)

    def _blackened(self, tile: Tile) -> Tile:
        """Return the tile, blackened if its depth still needs black crops."""
        depth_bin = int(np.digitize(tile.depth, BLACK_DEPTHS))
        self._crops[depth_bin] += 1
        missing = BLACK_SHARES[depth_bin] * self._crops[depth_bin] - self._black[depth_bin]
        if missing < 0.5 or tile.mask.any() or tile.noisy_mask.any():
            return tile
        self._black[depth_bin] += 1
        return replace(tile, image=np.zeros_like(tile.image))
