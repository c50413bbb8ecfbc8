"""Format and size of an image file, from its first bytes, before anything is decoded."""

import tokenize
from pathlib import Path
from typing import BinaryIO

import numpy as np

from saltseg.config.model_definitions import CROP
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import check_regular

MOST_PIXELS = 100_000_000
"""Most pixels of an image: 10,000 x 10,000, whose prediction takes about 4 GB of memory."""

_MOST_BYTES = 1 << 30

FORMATS = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".npy": "npy"}
"""The supported formats, by suffix."""

_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
    b"\x93NUMPY": "npy",
    b"\xff\xd8\xff": "JPEG",
    b"\x00\x00\x00\x0cjP": "JPEG 2000",
    b"BM": "BMP",
    b"GIF8": "GIF",
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"%PDF": "PDF",
    b"RIFF": "WebP",
    b"PK\x03\x04": "a zip",
    b"\x1f\x8b": "gzip",
    b"\x89HDF": "HDF5",
}
"""First bytes of known formats; unsupported ones are named in the error message."""


_NO_HEADER = (
    EOFError,
    KeyError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)
"""What numpy raises for invalid headers."""


def check_image_file(path: Path) -> str:
    """Return the format of an image file: "PNG", "TIFF" or "npy".

    Raises InputError if it is not a regular file, too large or empty, or if its content does not
    match its name.
    """
    wanted = FORMATS.get(path.suffix.lower())
    if wanted is None:
        raise InputError(f"{path}: is not one of {', '.join(FORMATS)}; convert it")
    check_regular(path, _MOST_BYTES)
    try:
        with path.open("rb") as file:
            beginning = file.read(16)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror}; change its permissions"
        ) from error
    if not beginning:
        raise InputError(f"{path}: is empty; save it again")
    found = next((name for magic, name in _BEGINNINGS.items() if beginning.startswith(magic)), None)
    if found != wanted:
        what = f"is {found} by its content" if found else "is not an image by its content"
        raise InputError(f"{path}: {what}, not {wanted} as its name says; convert it to {wanted}")
    return wanted


def check_size(path: Path, height: int, width: int) -> None:
    """Raise InputError if an image has too many pixels, or none."""
    if height < 1 or width < 1:
        raise InputError(f"{path}: has shape {height, width}; give one image of rows and columns")
    if max(height, CROP) * max(width, CROP) > MOST_PIXELS:
        thin = f", counting sides below {CROP} as {CROP}" if min(height, width) < CROP else ""
        raise InputError(
            f"{path}: has {height:,} rows and {width:,} columns, more than {MOST_PIXELS:,}"
            f" pixels{thin}; cut it into parts"
        )


def check_npy(path: Path, kinds: str = "uif") -> None:
    """Check what a .npy file's header says, before memory is asked for what it says.

    kinds: numpy's letters of the number formats that are taken. Raises InputError where that is no
    image of such numbers, too large, or more than is there; ValueError where the header is none.
    """
    with path.open("rb") as file:
        shape, dtype = _npy_header(file)
        held = path.stat().st_size - file.tell()
    if dtype.kind not in kinds or dtype.itemsize > 8:
        raise InputError(
            f"{path}: its numbers are {dtype}, not integers or floats of up to 64 bits; save it as"
            " such"
        )
    if len(shape) != 2:
        raise InputError(f"{path}: has shape {shape}; give one image of rows and columns")
    check_size(path, *shape)
    needed = shape[0] * shape[1] * dtype.itemsize
    if held < needed:
        raise InputError(
            f"{path}: holds {held:,} bytes of the {needed:,} that its header names; save it again"
        )


def _npy_header(file: BinaryIO) -> "tuple[tuple[int, ...], np.dtype[np.generic]]":
    """Read a .npy file's header. Raises ValueError where it is damaged."""
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        shape, _, dtype = readers[np.lib.format.read_magic(file)](file)
    except _NO_HEADER as error:
        # numpy's message may contain the whole header, or an address in memory.
        raise ValueError("it has no .npy header") from error
    return shape, dtype
