"""From PNGs to arrays, refusing whatever is damaged or not a crop of the competition."""

import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from itertools import chain
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP
from saltseg.crops.tgs.folder import RawFile
from saltseg.crops.tgs.offenders import refuse_any
from saltseg.plumbing.progress import progress

Pixels = npt.NDArray[Any]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK_HEAD = struct.Struct(">I4s")
_SIZE = struct.Struct(">II")
_BLOCK = 64


class Problem(Enum):
    """What can be wrong with a PNG, and what to do about it; the first found is reported."""

    DAMAGED = "damaged PNG", "download and unpack it again"
    SIZE = f"size other than {CROP}x{CROP}", "only crops as Kaggle cut them can be used"
    DEPTH = "wrong number of bits", "images have 8 bits as Kaggle gives them"
    CHANNELS = "channels that are not one grey", "only grey crops as Kaggle gives them can be used"
    VALUES = "mask of several greys", "a mask has 0 for no salt and one other value for salt"


class PngError(ValueError):
    """A PNG that is not a valid crop or mask: the problem, and its details in this file."""

    def __init__(self, problem: Problem, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.problem = problem


def read_pngs(
    files: Sequence[RawFile], decode: Callable[[bytes], Pixels], workers: int, description: str
) -> Iterator[Pixels]:
    """Yield the decoded files in the order of `files`, decoding in threads.

    workers: number of threads; 0 means one.
    Raises InputError at the end, for all files with the same problem together.
    """
    blocks = [files[start : start + _BLOCK] for start in range(0, len(files), _BLOCK)]
    wrong: dict[Problem, list[tuple[RawFile, PngError]]] = defaultdict(list)
    with ThreadPoolExecutor(
        max(workers, 1)
    ) as pool:  # OpenCV and zlib let go of the interpreter's lock
        results = chain.from_iterable(pool.map(lambda block: _decoded(block, decode), blocks))
        for file, result in zip(files, progress(results, description, len(files)), strict=True):
            if isinstance(result, PngError):
                wrong[result.problem].append((file, result))
            else:
                yield result
    for problem in Problem:
        cases = wrong[problem]
        names = [f"{file.within.name} ({error})" for file, error in cases]
        place = cases[0][0].path.parent if cases else files[0].path.parent
        refuse_any(place, problem.value[0], names, len(files), problem.value[1])


def decode_image(content: bytes) -> npt.NDArray[np.uint8]:
    """Return a crop's image, grey or with equal channels: uint8, shape (101, 101).

    Raises PngError.
    """
    grey = _grey(content)
    if grey.dtype != np.uint8:
        raise PngError(Problem.DEPTH, f"{8 * grey.itemsize} bits")
    return grey


def decode_mask(content: bytes) -> Pixels:
    """Return a mask as it is stored, 0 for no salt: uint8 or uint16, shape (101, 101).

    Kaggle stores masks with salt as 16-bit {0, 65535} and empty ones as 8-bit {0}. Raises PngError.
    """
    grey = _grey(content)
    highest = grey.max()
    between = (grey != 0) & (grey != highest)
    if between.any():
        raise PngError(Problem.VALUES, f"0, {grey[between][0]} and {highest}")
    return grey


def _decoded(
    block: Sequence[RawFile], decode: Callable[[bytes], Pixels]
) -> list[Pixels | PngError]:
    """Decode some files, with an error in place of an invalid file's pixels."""
    results: list[Pixels | PngError] = []
    for file in block:
        try:
            results.append(decode(file.read()))
        except PngError as error:
            results.append(error)
        except OSError as error:
            results.append(PngError(Problem.DAMAGED, str(error)))
    return results


def _grey(content: bytes) -> Pixels:
    """Decode a PNG once, and check its size and that it is grey: shape (101, 101)."""
    _check_chunks(content)
    width, height = _SIZE.unpack_from(content, 16)  # before a large picture is decoded
    if (height, width) != (CROP, CROP):
        raise PngError(Problem.SIZE, f"{width}x{height}")
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise PngError(Problem.DAMAGED, "its pixels cannot be decoded")
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] != 3:
        raise PngError(Problem.CHANNELS, f"{pixels.shape[2]} channels")
    blue, green, red = cv2.split(pixels)
    if not (np.array_equal(blue, green) and np.array_equal(green, red)):
        count = np.count_nonzero((blue != green) | (green != red))
        raise PngError(Problem.CHANNELS, f"red, green and blue differ in {count:,} pixels")
    grey: Pixels = green
    return grey


def _check_chunks(content: bytes) -> None:
    """Check a PNG's signature, the lengths and checksums of its chunks, and that it is complete.

    Decoders differ in what they tolerate; some return the pixels before a truncation.
    """
    if not content.startswith(_SIGNATURE):
        raise PngError(Problem.DAMAGED, "no PNG" if content else "empty file")
    if content[12:16] != b"IHDR":
        raise PngError(Problem.DAMAGED, "no header")
    view = memoryview(content)
    start, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        if start + 12 > len(content):
            raise PngError(Problem.DAMAGED, f"cut off after {len(content):,} bytes")
        length, kind = _CHUNK_HEAD.unpack_from(content, start)
        end = start + 12 + length
        if end > len(content):
            raise PngError(Problem.DAMAGED, f"cut off after {len(content):,} bytes")
        if zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise PngError(Problem.DAMAGED, f"wrong checksum of the chunk at byte {start:,}")
        start = end
