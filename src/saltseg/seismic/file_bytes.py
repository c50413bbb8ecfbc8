"""A file read at any place; what it lacks is said in one line.

It is read, not mapped: mapped pages count as memory, and a file that shrinks kills who maps it.
"""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.closing import Closing
from saltseg.plumbing.errors import InputError


class FileBytes(Closing):
    """The bytes of an open file."""

    def __init__(self, path: Path) -> None:
        """Open it; raises InputError where there is none, or it may not be read."""
        self.path = path
        self._descriptor = -1
        try:
            if not path.is_file():
                kind = "is a folder" if path.is_dir() else "there is no such file"
                raise InputError(f"{path}: {kind}; name a file that exists")
            self._descriptor = os.open(path, os.O_RDONLY)
            state = os.fstat(self._descriptor)
        except OSError as error:
            raise InputError(
                f"{path}: cannot be read: {error.strerror}; change the rights"
            ) from error
        self.size = state.st_size
        self.modified = state.st_mtime_ns

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset`; raises InputError where the file has fewer."""
        return self.read_rows([offset], count).tobytes()

    def read_rows(self, offsets: Sequence[int], count: int) -> npt.NDArray[np.uint8]:
        """Return `count` bytes from each offset, uint8 (offsets, count).

        Rows that follow each other in the file are read at once.
        """
        rows = np.empty((len(offsets), count), np.uint8)
        if count == 0 or not len(offsets):
            return rows
        view = rows.data.cast("B")
        starts = np.asarray(offsets, np.int64)
        breaks = np.flatnonzero(np.diff(starts) != count) + 1
        bounds = [0, *breaks.tolist(), len(starts)]
        for first, last in pairwise(bounds):
            self._fill(view[first * count : last * count], int(starts[first]))
        return rows

    def _fill(self, view: memoryview, offset: int) -> None:
        done = 0
        while done < len(view):
            try:
                got = os.preadv(self._descriptor, [view[done:]], offset + done)
            except OSError as error:
                raise InputError(
                    f"{self.path}: cannot be read at byte {offset + done + 1:,}:"
                    f" {error.strerror}; copy it again"
                ) from error
            if got == 0:
                raise InputError(
                    f"{self.path}: ends before byte {offset + done + 1:,} while it is read, and had"
                    f" {self.size:,}; wait until it is whole, or copy it again"
                )
            done += got

    def close(self) -> None:
        """Close the file; what was read of it stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        """Close it where nobody did."""
        self.close()
