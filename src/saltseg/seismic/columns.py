"""Columns of integers that take little memory: header fields of millions of traces."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

_WIDTHS = (0, 1, 2, 4)


@dataclass(frozen=True)
class Column:
    """Integers of 32 bits, in blocks of one length, each kept as its least value and the rest.

    least: int64 (blocks,). widths: bytes a value takes in each block, 0 where all are equal.
    rest: uint8, the values less the least, block after block.
    """

    count: int
    block: int
    least: Integers
    widths: npt.NDArray[np.uint8]
    rest: npt.NDArray[np.uint8]

    def values(self) -> Integers:
        """Return all values, int64 (count,)."""
        values = np.empty(self.count, np.int64)
        place = 0
        for number, (least, width) in enumerate(zip(self.least, self.widths, strict=True)):
            part = values[number * self.block : (number + 1) * self.block]
            part[:] = least
            if width:
                size = len(part) * int(width)
                part += self.rest[place : place + size].view(f"<u{width}")
                place += size
        return values

    @property
    def constant(self) -> bool:
        """Whether all values are equal."""
        return not self.widths.any() and len(np.unique(self.least)) <= 1

    def is_whole(self) -> bool:
        """Tell whether the parts fit together, as those of a damaged file may not."""
        blocks = -(-self.count // self.block)
        if not len(self.least) == len(self.widths) == blocks:
            return False
        if not np.isin(self.widths, _WIDTHS).all():
            return False
        lengths = np.full(blocks, self.block)
        lengths[-1:] = self.count - (blocks - 1) * self.block
        return int((lengths * self.widths).sum()) == len(self.rest)


class ColumnBuilder:
    """Takes a column's values block by block."""

    def __init__(self, block: int) -> None:
        """Begin a column; block: values of each part but the last."""
        self.block = block
        self._count = 0
        self._least: list[int] = []
        self._widths: list[int] = []
        self._rest: list[npt.NDArray[np.uint8]] = []

    def append(self, values: Integers) -> None:
        """Add the next block."""
        least, most = int(values.min()), int(values.max())
        width = next(w for w in _WIDTHS if most - least < 256**w)
        self._count += len(values)
        self._least.append(least)
        self._widths.append(width)
        if width:
            self._rest.append((values - least).astype(f"<u{width}").view(np.uint8))

    def column(self) -> Column:
        """Return what was added."""
        rest = np.concatenate(self._rest) if self._rest else np.empty(0, np.uint8)
        least, widths = np.array(self._least, np.int64), np.array(self._widths, np.uint8)
        return Column(self._count, self.block, least, widths, rest)
