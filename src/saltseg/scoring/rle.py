"""Kaggle's run-length code of masks, for all crops at once.

A code lists the runs of salt as "start length start length ...". Pixels are counted from 1, down
the first column, then down the next; an empty code means no salt.

An edge is the first pixel of a run or the first pixel after it, counted from 0; the two alternate.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import first_few

Masks = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.signedinteger]

PIXELS = 1 << 21
"""Pixels processed together: few enough to stay in the processor's cache."""
SPACE, ZERO = b" 0"


class CodeError(ValueError):
    """Some codes cannot be decoded.

    faults: the first fault of each, by the code's position, in order.
    """

    def __init__(self, faults: Mapping[int, str]) -> None:
        """Name the first few faults in one line."""
        self.faults = dict(sorted(faults.items()))
        super().__init__(first_few([f"code {key}: {text}" for key, text in self.faults.items()]))


def encode(masks: Masks) -> list[str]:
    """Return the code of each mask.

    masks: bool, shape (n, height, width); True is salt.
    """
    count, height, width = masks.shape
    parts = _parts(count, height * width)
    return [code for part in parts for code in _encode_together(masks[part])]


def decode(codes: Sequence[str], shape: tuple[int, int] = (101, 101)) -> Masks:
    """Return the masks that `codes` describe: bool, shape (n, height, width).

    Raises CodeError, which lists every invalid code, if a number is not an integer from 1 to
    height * width, a start has no length, a run leaves the crop, or runs are out of order or
    overlap. Numbers are separated by spaces only.
    """
    masks = np.empty((len(codes), *shape), bool)
    faults: dict[int, str] = {}
    for part in _parts(len(codes), shape[0] * shape[1]):
        try:
            masks[part] = _decode_together(codes[part], shape)
        except CodeError as error:
            faults |= {part.start + code: fault for code, fault in error.faults.items()}
    if faults:
        raise CodeError(faults)
    return masks


def _parts(count: int, pixels: int) -> Iterator[slice]:
    """Yield slices of crops to process together."""
    step = max(1, PIXELS // pixels)
    for start in range(0, count, step):
        yield slice(start, start + step)


def _encode_together(masks: Masks) -> list[str]:
    _, height, width = masks.shape
    edges, bounds = _edges(masks)
    numbers = edges + 1
    numbers[1::2] = edges[1::2] - edges[::2]
    numerals, lengths = _numerals(height * width)
    text = numerals.take(numbers).tobytes().translate(None, b"\0").decode("ascii")
    ends = np.append(0, np.cumsum(lengths.take(numbers), dtype=np.int64))[bounds]
    return [text[start + 1 : end] for start, end in pairwise(ends.tolist())]


@cache
def _numerals(pixels: int) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.uint8]]:
    """Return the numerals from 0 to `pixels`, each after a space, and their lengths."""
    words = [f" {number}" for number in range(pixels + 1)]
    lengths = np.array([len(word) for word in words], np.uint8)
    # take() is faster for eight bytes than for six.
    return np.array(words, f"S{max(8, lengths[-1])}"), lengths


def _edges(masks: Masks) -> tuple[Integers, Integers]:
    """Return the edges of all crops in order, and the bounds of each crop's edges."""
    count, height, width = masks.shape
    pixels = height * width
    salt = masks.reshape(count, pixels)
    crops = np.arange(count + 1, dtype=np.int32)
    places = _changes(salt, width)
    owners = _owners(places, crops * pixels)
    down = _down_the_columns(height, width).take(places - owners * pixels)
    # An extra pixel per crop keeps its last edge, after the last pixel, before the next crop.
    starts = crops * (pixels + 1)
    ends = starts[:-1][salt[:, -1]] + pixels
    edges = np.concatenate([down + starts.take(owners), ends])
    edges.sort()
    return edges - starts.take(_owners(edges, starts)), np.searchsorted(edges, starts)


def _changes(salt: Masks, width: int) -> Integers:
    """Return where a pixel differs from the one above, ascending, in row-major order of all crops.

    Above the top pixel of a column is the last of the previous column; above the first, background.
    """
    line = np.zeros(-(-salt.size // 8), np.uint64).view(bool)
    changes = line[: salt.size].reshape(salt.shape)
    np.not_equal(salt[:, width:], salt[:, :-width], out=changes[:, width:])
    np.not_equal(salt[:, 1:width], salt[:, -width:-1], out=changes[:, 1:width])
    changes[:, 0] = salt[:, 0]
    # Eight at a time, since most are unchanged.
    eights = line.view(np.uint64)
    some = np.flatnonzero(eights != 0).astype(np.int32)
    within = np.flatnonzero(eights[some].view(bool)).astype(np.int32)
    return 8 * some[within >> 3] + (within & 7)


def _owners(places: Integers, bounds: Integers) -> Integers:
    """Return the interval between bounds that each place lies in; both ascend."""
    counts = np.diff(np.searchsorted(places, bounds))
    return np.repeat(np.arange(len(counts), dtype=np.int32), counts)


@cache
def _down_the_columns(height: int, width: int) -> Integers:
    """Return the column-major position of each pixel, in row-major order."""
    return np.arange(height * width, dtype=np.int32).reshape(width, height).T.ravel()


def _decode_together(codes: Sequence[str], shape: tuple[int, int]) -> Masks:
    height, width = shape
    starts, lengths, owners = _runs(codes, height * width)
    firsts = owners * (height * width) + starts - 1
    edges = np.stack([firsts, firsts + lengths], axis=1).ravel()
    salt = _salt_between(edges, height, len(codes) * width)
    return salt.reshape(height, len(codes), width).transpose(1, 0, 2)


def _salt_between(edges: Integers, height: int, columns: int) -> Masks:
    """Return the masks of all crops, side by side: bool, shape (height, columns)."""
    met = np.flatnonzero(edges[1:] == edges[:-1])  # a run begins right after another
    edges = np.delete(edges, np.concatenate([met, met + 1])) if met.size else edges
    edges = edges[: np.searchsorted(edges, height * columns)]
    column = edges // height
    salt = np.zeros((height, columns), bool)
    salt.reshape(-1)[(edges - column * height) * columns + column] = True
    # Each edge toggles salt; at the foot of a column it continues at the head of the next.
    passed = np.cumsum(np.bincount(column, minlength=columns))
    salt[0, 1:] ^= passed[:-1] % 2 == 1
    for row in range(1, height):
        np.not_equal(salt[row], salt[row - 1], out=salt[row])
    return salt


def _runs(codes: Sequence[str], pixels: int) -> tuple[Integers, Integers, Integers]:
    """Return the start (from 1), length and code position of each run, in order."""
    numbers, bounds = _numbers(codes, pixels)
    owners = np.repeat(np.arange(len(codes), dtype=np.int32), np.diff(bounds))
    faults = {}
    for code in np.flatnonzero(np.diff(bounds) % 2).tolist():
        faults[code] = f"ends with start {_word(codes[code], -1)!r}, which has no length"
    wrong = np.flatnonzero(numbers == 0)
    for code, first in zip(*np.unique(owners[wrong], return_index=True), strict=True):
        word = _word(codes[code], wrong[first] - bounds[code])
        faults[int(code)] = f"{word!r} is not a whole number from 1 to {pixels}"
    if faults:
        paired = ~np.isin(owners, list(faults))
        numbers, owners = numbers[paired], owners[paired]
    starts, lengths, owners = numbers[::2], numbers[1::2], owners[::2]
    faults |= _run_faults(starts, lengths, owners, pixels)
    if faults:
        raise CodeError(faults)
    return starts, lengths, owners


def _word(code: str, position: int) -> str:
    return [word for word in code.split(" ") if word][position]


def _numbers(codes: Sequence[str], pixels: int) -> tuple[Integers, Integers]:
    """Return all numbers in order, 0 for an invalid one, and the bounds of each code's numbers."""
    text = " ".join([*codes, ""])
    # Each non-ASCII character becomes one question mark.
    letters = np.frombuffer(text.encode("ascii", "replace"), np.uint8)
    spaces = np.flatnonzero(letters == SPACE).astype(np.int32)
    heads = np.append(np.int32(0), spaces[:-1] + 1)[: len(spaces)]
    words = spaces > heads
    ends, lengths = spaces[words], (spaces - heads)[words]
    digits = letters - np.uint8(ZERO)
    most = len(str(pixels))
    numbers = np.zeros(len(ends), np.int32)
    for power in range(most):
        digit = digits.take(ends - (1 + power), mode="clip")
        numbers += 10**power * digit.astype(np.int32) * (lengths > power)
    numbers[(lengths > most) | (digits.take(ends - lengths) == 0) | (numbers > pixels)] = 0
    strange = np.flatnonzero((digits > 9) & (letters != SPACE))
    numbers[np.searchsorted(ends, strange)] = 0
    behind = np.cumsum([0, *(len(code) + 1 for code in codes)])
    return numbers, np.searchsorted(ends, behind.astype(np.int32))


def _run_faults(
    starts: Integers, lengths: Integers, owners: Integers, pixels: int
) -> dict[int, str]:
    """Return the first run of each code that leaves the crop or begins too early."""
    ends = starts + lengths
    leaves = ends > pixels + 1
    early = np.zeros(len(starts), bool)
    early[1:] = (owners[1:] == owners[:-1]) & (starts[1:] < ends[:-1])
    faults: dict[int, str] = {}
    for run in np.flatnonzero(leaves | early).tolist():
        text = f"run '{starts[run]} {lengths[run]}' "
        if leaves[run]:
            text += f"ends after the last pixel, {pixels}"
        else:
            text += f"begins before the end of run '{starts[run - 1]} {lengths[run - 1]}'"
        faults.setdefault(int(owners[run]), text)
    return faults
