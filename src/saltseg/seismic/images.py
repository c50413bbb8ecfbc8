"""Grey images as a user has them, read from files."""

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from saltseg.plumbing.errors import InputError
from saltseg.seismic.image_headers import MOST_PIXELS, check_image_file, check_npy, check_size

Pixels = npt.NDArray[Any]

_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow and numpy raise for damaged files."""


def read_image(path: Path) -> Pixels:
    """Read one grey image, shape (h, w): PNG or TIFF of 8 or 16 bits, or .npy of real numbers.

    A PNG or TIFF in colour is taken where its channels are equal; transparency is left out.
    Raises InputError where it is missing, damaged, of another format than its name says, larger
    than image_headers.MOST_PIXELS, in colour, not two-dimensional, or not finite.
    """
    pixels = _read(path, "uif")
    _check_finite(path, pixels)
    return pixels


def read_mask(path: Path) -> Pixels:
    """Read one mask, shape (h, w): as read_image, and .npy of truth values, or with NaN."""
    return _read(path, "buif")


def _read(path: Path, kinds: str) -> Pixels:
    kind = check_image_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of what is refused or does no harm
            return _read_npy(path, kinds) if kind == "npy" else _read_picture(path, kind)
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{path}: has more than {MOST_PIXELS:,} pixels; cut it into parts"
        ) from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: cannot be read as an image ({reason}); save it again") from error


def _read_npy(path: Path, kinds: str) -> Pixels:
    check_npy(path, kinds)
    pixels: Pixels = np.load(path)
    return pixels


def _read_picture(path: Path, kind: str) -> Pixels:
    with Image.open(path, formats=[kind]) as picture:
        check_size(path, picture.height, picture.width)
        if getattr(picture, "n_frames", 1) > 1:
            raise ValueError(f"it holds {getattr(picture, 'n_frames', 1)} images, not one")
        by_palette = picture.mode in ("1", "P", "PA")
        pixels = np.asarray(picture.convert("RGBA") if by_palette else picture)
        if by_palette or picture.mode in ("LA", "RGBA"):
            pixels = pixels[..., :-1]
    if pixels.ndim == 3:
        unequal = np.flatnonzero((pixels != pixels[..., :1]).any(axis=2))
        if len(unequal):
            row, column = divmod(int(unequal[0]), pixels.shape[1])
            colour = pixels[row, column].tolist()
            raise ValueError(f"it is in colour: row {row}, column {column} is {colour}")
        pixels = pixels[..., 0]
    return pixels


def _check_finite(path: Path, pixels: Pixels) -> None:
    wrong = np.flatnonzero(~np.isfinite(pixels))
    if len(wrong):
        row, column = divmod(int(wrong[0]), pixels.shape[1])
        raise InputError(
            f"{path}: {len(wrong):,} values are not finite, the first at row {row}, column"
            f" {column}: {pixels[row, column]}; replace them"
        )
