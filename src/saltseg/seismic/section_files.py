"""What was predicted on sections, one file each, until all of a survey's are there.

A file is whole or not there: what a killed process has finished is never predicted again.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import write_array
from saltseg.seismic.grid import Grid
from saltseg.seismic.no_data import Live

Values = npt.NDArray[np.float32]
BYTES = 4
"""Bytes of a file for each sample of its section."""


@dataclass(frozen=True)
class SectionFiles:
    """A folder of them. axes: those along which sections are predicted."""

    folder: Path
    grid: Grid
    axes: tuple[str, ...]

    def wanted(self) -> list[tuple[str, int]]:
        """Return axis and place, counted from 0, of all sections."""
        return [(axis, at) for axis in self.axes for at in range(len(self.grid.numbers(axis)))]

    def missing(self) -> list[tuple[str, int]]:
        """Return those of `wanted` that have no file yet."""
        return [each for each in self.wanted() if not self._path(*each).exists()]

    def write(self, axis: str, at: int, mean: Values, variance: Values, live: Live) -> None:
        """Write what was predicted on a section: mean and variance over networks.

        mean, variance: float32 (traces, samples); live: bool of this shape.
        """
        both = np.stack([mean, np.sqrt(variance)])
        both[:, ~live] = np.nan
        write_array(self._path(axis, at), both.astype(np.float16))

    def block(self, axis: str, places: tuple[slice, ...]) -> Values:
        """Return mean and deviation in a block, float32 (2, ...), NaN where there is no data.

        places: rows, columns and samples of the grid; of a line columns and samples.
        """
        *across, samples = places
        if self.grid.line:
            return self._read(axis, 0, across[0], samples)
        rows, columns = across
        along, other = (rows, columns) if axis == self.grid.axes[0] else (columns, rows)
        parts = [self._read(axis, at, other, samples) for at in range(along.start, along.stop)]
        stacked = np.stack(parts, axis=1)
        return stacked if axis == self.grid.axes[0] else stacked.transpose(0, 2, 1, 3)

    def _read(self, axis: str, at: int, traces: slice, samples: slice) -> Values:
        path = self._path(axis, at)
        try:
            mapped = np.load(path, mmap_mode="r")
            return np.asarray(mapped[:, traces, samples], np.float32)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                f"{path}: cannot be read ({error}); remove it and run the same command again"
            ) from error

    def _path(self, axis: str, at: int) -> Path:
        return self.folder / axis / f"{at:06}.npy"
