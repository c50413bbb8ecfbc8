"""The grid that a section is computed on: pixels, wavenumbers, and the part of it that is used."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import fft

Field = npt.NDArray[np.floating[Any]]
"""A real field on the grid, or one that broadcasts to it; float32 where speed counts."""

Mask = npt.NDArray[np.bool_]
"""A yes or no for each pixel of the grid."""

Value = TypeVar("Value", bound=np.generic)

SIDE = 640
"""Height and width of the computing grid in pixels: 2^7 * 5, a fast length for transforms."""

MARGIN = 50
"""Pixels at each edge that take the taper and the wrap-around, and are cut off."""

USABLE = SIDE - 2 * MARGIN
"""Height and width of a finished section in pixels."""

ROWS: Field = np.arange(SIDE, dtype=np.float32)[:, None]
COLUMNS: Field = np.arange(SIDE, dtype=np.float32)[None, :]
"""Row and column of each pixel; the usable part starts at MARGIN."""

KZ: Field = fft.fftfreq(SIDE)[:, None].astype(np.float32)
KX: Field = fft.rfftfreq(SIDE)[None, :].astype(np.float32)
"""Vertical and lateral wavenumber of the half spectrum, in cycles per pixel."""


def smoothstep(x: Field) -> Field:
    """Rise smoothly from 0 at x = 0 to 1 at x = 1."""
    clipped = np.clip(x, 0, 1).astype(np.float32)
    return clipped * clipped * (3 - 2 * clipped)


def _taper() -> Field:
    edge = smoothstep(np.minimum(ROWS[:, 0], ROWS[::-1, 0]) / np.float32(MARGIN))
    return edge[:, None] * edge[None, :]


TAPER: Field = _taper()
"""Falls to zero over the margin, so that the periodic transform sees no edge."""


def usable(field: npt.NDArray[Value]) -> npt.NDArray[Value]:
    """Cut the margin off."""
    return field[MARGIN : MARGIN + USABLE, MARGIN : MARGIN + USABLE]


def to_spectrum(field: Field) -> npt.NDArray[np.complex64]:
    """Transform a real field to its half spectrum."""
    spectrum: npt.NDArray[np.complex64] = fft.rfft2(field.astype(np.float32, copy=False))
    return spectrum


def from_spectrum(spectrum: npt.NDArray[np.complex64]) -> Field:
    """Transform a half spectrum to its real field."""
    field: Field = fft.irfft2(spectrum, s=(SIDE, SIDE), overwrite_x=True)
    return field


def dip_frame(exaggeration: float) -> tuple[Field, Field]:
    """Return wavenumber (cycles/px) and dip (degrees) of the half spectrum in true proportions.

    A section is drawn stretched vertically by `exaggeration`; dividing kx by it restores the
    angle at which waves travelled. A horizontal layer has dip 0.
    """
    wavenumber = np.hypot(KZ, KX / np.float32(exaggeration))
    wavenumber[0, 0] = 1e-6
    cosine = np.clip(np.abs(KZ) / wavenumber, 0, 1)
    return wavenumber, np.degrees(np.arccos(cosine)).astype(np.float32)
