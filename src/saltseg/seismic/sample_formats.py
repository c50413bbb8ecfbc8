"""The sample formats of SEG-Y, decoded to float32.

Source: SEG-Y_r2.0, SEG Technical Standards Committee (2017), binary header bytes 3225-3226.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saltseg.seismic.options import ByteOrder

IBM, IEEE = 1, 5


@dataclass(frozen=True)
class SampleFormat:
    """A sample format: its number, its name, and numpy's code for one sample."""

    number: int
    name: str
    code: str

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return np.dtype(self.code).itemsize

    @property
    def unsigned(self) -> bool:
        """Whether its numbers cannot be negative; IBM floats are read as such, and can."""
        return self.code.startswith("u") and self.number != IBM


FORMATS = {
    number: SampleFormat(number, name, code)
    for number, name, code in (
        (IBM, "IBM float, 4 bytes", "u4"),
        (2, "integer, 4 bytes", "i4"),
        (3, "integer, 2 bytes", "i2"),
        (IEEE, "IEEE float, 4 bytes", "f4"),
        (6, "IEEE float, 8 bytes", "f8"),
        (8, "integer, 1 byte", "i1"),
        (9, "integer, 8 bytes", "i8"),
        (10, "unsigned integer, 4 bytes", "u4"),
        (11, "unsigned integer, 2 bytes", "u2"),
        (12, "unsigned integer, 8 bytes", "u8"),
        (16, "unsigned integer, 1 byte", "u1"),
    )
}

REFUSED = {
    4: "fixed point with gain, 4 bytes",
    7: "integer, 3 bytes",
    15: "unsigned integer, 3 bytes",
}
"""Formats of the standard that are rare, and that other software reads wrongly without a word."""


def order_code(order: ByteOrder) -> str:
    """Return numpy's code of a byte order."""
    return ">" if order is ByteOrder.BIG else "<"


def decode(
    samples: npt.NDArray[np.uint8], sample_format: SampleFormat, order: ByteOrder
) -> npt.NDArray[np.float32]:
    """Decode raw samples, uint8 (traces, bytes of a trace), to float32 (traces, samples).

    What float32 cannot hold becomes infinite.
    """
    numbers = samples.view(np.dtype(order_code(order) + sample_format.code))
    with np.errstate(over="ignore", invalid="ignore"):
        if sample_format.number == IBM:
            return _from_ibm(numbers.astype(np.uint32))
        return numbers.astype(np.float32)


def _from_ibm(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    """Decode IBM floats: (-1)^sign * 16^(exponent - 64) * fraction / 2^24.

    The fraction has 24 bits, as float32 has, so no bit is lost.
    """
    top = np.arange(256)
    scales = np.where(top < 128, 1.0, -1.0) * np.exp2(4.0 * ((top & 0x7F) - 64) - 24)
    values: npt.NDArray[np.float32] = (scales[words >> 24] * (words & 0xFFFFFF)).astype(np.float32)
    return values


def float_format_of(words: npt.NDArray[np.uint32]) -> int | None:
    """Return the format, IBM or IEEE, that float samples are in; None if it cannot be told.

    IBM floats are normalised: the first four bits of the fraction are not all zero. In IEEE floats
    these bits are the exponent's last and the fraction's first three, all zero about once in
    sixteen. Words that hardly vary, as those of a mask, tell nothing.
    """
    words = words[(words & 0x7FFFFFFF) != 0]
    exponents = np.unique(words >> 24 & 0x7F)
    if len(np.unique(words)) < 64 or len(exponents) < 2:
        return None
    unnormalised = np.mean((words & 0x00F00000) == 0)
    if unnormalised > 0.01:
        return IEEE
    return IBM if unnormalised == 0 else None
