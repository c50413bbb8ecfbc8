"""Values between 0 and 1 as the samples of a SEG-Y file, in the format that its header names."""

import numpy as np
import numpy.typing as npt

from saltseg.seismic.options import ByteOrder
from saltseg.seismic.sample_formats import FORMATS, IBM, SampleFormat, decode, order_code
from saltseg.seismic.segy_header import SegyHeader

FLOATS = (IBM, 5, 6)
_IBM_STEP = 2.0**-20
"""Largest relative error of an IBM float: its fraction may begin with three zero bits."""


def output_format(header: SegyHeader) -> SampleFormat:
    """Return the format that the header names, or where it names none, the one it was read by."""
    return FORMATS.get(header.stated_format, header.sample_format)


def integer_scale(sample_format: SampleFormat) -> int:
    """Return what stands for a probability of 1: 1 in floats, in integers 100 or 10,000.

    100 goes into one byte; two bytes and more hold ten-thousandths.
    """
    if sample_format.number in FLOATS:
        return 1
    return 100 if sample_format.width == 1 else 10_000


def encode(
    values: npt.NDArray[np.float32], sample_format: SampleFormat, order: ByteOrder, scale: int
) -> npt.NDArray[np.uint8]:
    """Encode values from 0 to 1, float32 (traces, samples), as uint8 (traces, bytes of a trace).

    scale: what 1 becomes. Integers are rounded to the nearest.
    """
    code = order_code(order) + sample_format.code
    scaled = np.ascontiguousarray(values, np.float64) * scale
    if sample_format.number == IBM:
        numbers = _to_ibm(scaled).astype(code)
    elif sample_format.number in FLOATS:
        numbers = scaled.astype(code)
    else:
        numbers = np.rint(scaled).astype(code)
    return np.ascontiguousarray(numbers).view(np.uint8)


def _to_ibm(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    """Encode numbers as IBM floats, normalised: the fraction is at least 1/16.

    (-1)^sign * 16^(exponent - 64) * fraction / 2^24; see sample_formats.
    """
    sizes = np.abs(values)
    exponents = np.ceil(np.frexp(sizes)[1] / 4).astype(np.int64)
    fractions = np.rint(sizes * np.exp2(24.0 - 4 * exponents)).astype(np.int64)
    full = fractions == 1 << 24
    exponents, fractions = exponents + full, np.where(full, 1 << 20, fractions)
    known = (fractions > 0) & (exponents > -64)
    words = np.signbit(values).astype(np.int64) << 31 | exponents + 64 << 24 | fractions
    return np.where(known, words, 0).astype(np.uint32)


def is_kept(
    values: npt.NDArray[np.float32],
    content: npt.NDArray[np.uint8],
    sample_format: SampleFormat,
    order: ByteOrder,
    scale: int,
) -> npt.NDArray[np.bool_]:
    """Tell which encoded samples, read back, are the values to the format's last digit.

    values: float32 (traces, samples). content: uint8 (traces, bytes). Returns bool (traces,).
    """
    read = decode(content, sample_format, order).astype(np.float64)
    error = np.abs(read - values.astype(np.float64) * scale)
    allowed = 0.5 if sample_format.number not in FLOATS else 0.0
    if sample_format.number == IBM:
        return np.asarray((error <= _IBM_STEP * np.abs(values) + 1e-70).all(axis=1))
    return np.asarray((error <= allowed).all(axis=1))
