"""Kaggle's run-length code of masks, for all crops at once.

A code lists the runs of salt as "start length start length ...". Pixels are counted from 1, down
the first column, then down the next; an empty code means no salt.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from saltseg.errors import first_few

Integers = npt.NDArray[np.int64]


class CodeError(ValueError):
    """Some codes don't decode.

    faults: the first wrong thing in each of them, by the code's position, in order.
    """

    def __init__(self, faults: Mapping[int, str]) -> None:
        """Name the first few faults in one line."""
        self.faults = dict(sorted(faults.items()))
        super().__init__(first_few([f"code {key}: {text}" for key, text in self.faults.items()]))


def encode(masks: npt.NDArray[np.bool_]) -> list[str]:
    """Return the code of each mask.

    masks: bool, shape (n, height, width); True is salt.
    """
    count, height, width = masks.shape
    pixels = height * width
    # One pixel without salt before the first crop and after each keeps runs within their crop.
    line = np.zeros(1 + count * (pixels + 1), bool)
    crops = line[1:].reshape(count, pixels + 1)[:, :pixels]
    crops.reshape(count, width, height, copy=False)[...] = masks.transpose(0, 2, 1)
    starts, ends = np.flatnonzero(line[1:] != line[:-1]).reshape(-1, 2).T
    owners, starts_within = np.divmod(starts, pixels + 1)
    numbers = np.stack([starts_within + 1, ends - starts], axis=1).ravel()
    words = list(map(_numerals(pixels).__getitem__, numbers.tolist()))
    bounds = 2 * np.searchsorted(owners, np.arange(count + 1))
    return [" ".join(words[a:b]) for a, b in pairwise(bounds)]


def decode(codes: Sequence[str], shape: tuple[int, int] = (101, 101)) -> npt.NDArray[np.bool_]:
    """Return the masks that `codes` describe: bool, shape (n, height, width).

    Raises CodeError, which names every wrong code, where a number is not a whole one from 1 to
    height * width, a start has no length, a run leaves the crop, or runs are out of order or
    overlap.
    """
    height, width = shape
    pixels = height * width
    starts, ends, owners = _runs(codes, pixels)
    # Stretches without and with salt take turns through all crops laid end to end.
    edges = np.append(np.stack([starts, ends], axis=1) + owners[:, None] * pixels, 0)
    edges[-1] = len(codes) * pixels
    salt = np.arange(len(edges)) % 2 == 1
    columns = np.repeat(salt, np.diff(edges, prepend=0)).reshape(-1, width, height)
    return np.ascontiguousarray(columns.transpose(0, 2, 1))


def _runs(codes: Sequence[str], pixels: int) -> tuple[Integers, Integers, Integers]:
    """Return each run's start from 0, its end, and the position of its code, all codes in turn."""
    words = [code.split() for code in codes]
    owners = np.repeat(np.arange(len(codes)), [len(each) for each in words])
    known = _values(pixels)
    numbers = np.array([known.get(word, 0) for each in words for word in each], np.int64)
    faults = {}
    for code in np.flatnonzero(np.bincount(owners) % 2).tolist():
        faults[code] = f"ends with start {words[code][-1]!r}, which has no length"
    for code in np.unique(owners[numbers == 0]).tolist():
        word = next(word for word in words[code] if word not in known)
        faults[code] = f"{word!r} is not a whole number from 1 to {pixels}"
    paired = ~np.isin(owners, list(faults))
    starts, lengths = numbers[paired].reshape(-1, 2).T
    owners = owners[paired][::2]
    faults |= _run_faults(starts, lengths, owners, pixels)
    if faults:
        raise CodeError(faults)
    return starts - 1, starts - 1 + lengths, owners


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
            text += f"ends behind the last pixel, {pixels}"
        else:
            text += f"begins before the end of run '{starts[run - 1]} {lengths[run - 1]}'"
        faults.setdefault(int(owners[run]), text)
    return faults


@cache
def _numerals(pixels: int) -> list[str]:
    """Return the decimal numerals of 0 to `pixels`."""
    return [str(number) for number in range(pixels + 1)]


@cache
def _values(pixels: int) -> dict[str, int]:
    """Return the number that each numeral from 1 to `pixels` stands for."""
    return {str(number): number for number in range(1, pixels + 1)}
