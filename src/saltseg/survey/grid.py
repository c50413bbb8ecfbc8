"""The computational grid of a survey: pixels, wavenumbers, and the usable part."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import fft

Field = npt.NDArray[np.floating[Any]]
"""A real field on one inline of the grid, or one that broadcasts to it; float32 for speed."""

Mask = npt.NDArray[np.bool_]
"""A boolean for each pixel of the grid."""

Value = TypeVar("Value", bound=np.generic)

MARGIN = 50
"""Pixels at each edge for the taper and the wrap-around of transforms, cut off in the end."""

USABLE = 540
"""Height and width in pixels of a finished section from which crops are cut."""

BLOCK_SIDE = 16
"""Side of the largest blocks to average; both sides of the grid are multiples of it."""


@dataclass(frozen=True)
class Grid:
    """A survey of so many inlines, crosslines and samples, and the margin around each inline.

    A section is a survey of one inline. Fields have one row per sample and one column per
    crossline, margins included: 540 of each make a grid of 640 x 640, a fast size for transforms.
    """

    inlines: int = 1
    crosslines: int = USABLE
    samples: int = USABLE

    @property
    def is_section(self) -> bool:
        """Whether there is a single inline."""
        return self.inlines == 1

    @cached_property
    def height(self) -> int:
        """Rows of a field."""
        return _fast_length(self.samples + 2 * MARGIN)

    @cached_property
    def width(self) -> int:
        """Columns of a field."""
        return _fast_length(self.crosslines + 2 * MARGIN)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a field."""
        return self.height, self.width

    @cached_property
    def patches(self) -> float:
        """Map area relative to the area whose features a section shows: at least one.

        A section shows features up to about half its length to the side.
        """
        return max(1.0, self.inlines * self.crosslines / USABLE**2)

    @cached_property
    def rows(self) -> Field:
        """Row of each pixel, shape (height, 1); the usable part starts at MARGIN."""
        return np.arange(self.height, dtype=np.float32)[:, None]

    @cached_property
    def columns(self) -> Field:
        """Column of each pixel, shape (1, width); the usable part starts at MARGIN."""
        return np.arange(self.width, dtype=np.float32)[None, :]

    @cached_property
    def centred(self) -> Field:
        """Column of each pixel relative to the middle of the grid, shape (1, width)."""
        middle: Field = self.columns - self.width / 2
        return middle

    @cached_property
    def kz(self) -> Field:
        """Vertical wavenumber of the half spectrum in cycles per pixel, shape (height, 1)."""
        wavenumber: Field = fft.fftfreq(self.height)[:, None].astype(np.float32)
        return wavenumber

    @cached_property
    def kx(self) -> Field:
        """Lateral wavenumber of the half spectrum in cycles per pixel, (1, width // 2 + 1)."""
        wavenumber: Field = fft.rfftfreq(self.width)[None, :].astype(np.float32)
        return wavenumber

    @cached_property
    def taper(self) -> Field:
        """A taper to zero over the margin, which avoids edge effects of the periodic transform."""
        rows, columns = self.rows[:, 0], self.columns[0]
        down = smoothstep(np.minimum(rows, rows[::-1]) / np.float32(MARGIN))
        across = smoothstep(np.minimum(columns, columns[::-1]) / np.float32(MARGIN))
        return down[:, None] * across[None, :]

    def usable(self, field: npt.NDArray[Value]) -> npt.NDArray[Value]:
        """Cut the margin off."""
        return field[MARGIN : MARGIN + self.samples, MARGIN : MARGIN + self.crosslines]

    def dip_frame(self, exaggeration: float, ky: float = 0.0) -> tuple[Field, Field]:
        """Return wavenumber (cycles/px) and true dip (degrees) of the half spectrum.

        A section has a vertical exaggeration; dividing lateral wavenumbers by it restores the true
        dip. A horizontal layer has dip 0. ky: the wavenumber along inlines.
        """
        lateral = np.hypot(self.kx, np.float32(ky)) if ky else self.kx
        wavenumber = np.hypot(self.kz, lateral / np.float32(exaggeration))
        wavenumber[0, 0] = max(float(wavenumber[0, 0]), 1e-6)
        cosine = np.clip(np.abs(self.kz) / wavenumber, 0, 1)
        return wavenumber, np.degrees(np.arccos(cosine)).astype(np.float32)


SECTION = Grid()
"""The grid of the sections from which crops are cut."""


def smoothstep(x: Field) -> Field:
    """Rise smoothly from 0 at x = 0 to 1 at x = 1."""
    clipped = np.clip(x, 0, 1).astype(np.float32)
    return clipped * clipped * (3 - 2 * clipped)


def to_spectrum(field: Field) -> npt.NDArray[np.complex64]:
    """Transform a real field to its half spectrum."""
    spectrum: npt.NDArray[np.complex64] = fft.rfft2(field.astype(np.float32, copy=False))
    return spectrum


def from_spectrum(spectrum: npt.NDArray[np.complex64], shape: tuple[int, int]) -> Field:
    """Transform a half spectrum to its real field."""
    field: Field = fft.irfft2(spectrum, s=shape, overwrite_x=True)
    return field


def _fast_length(length: int) -> int:
    """Return the next multiple of BLOCK_SIDE with a fast transform."""
    blocks = -(-length // BLOCK_SIDE)
    while fft.next_fast_len(blocks, real=True) != blocks:
        blocks += 1
    return BLOCK_SIDE * blocks
