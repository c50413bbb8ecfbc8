"""What the headers at the head of a SEG-Y file say: byte order, sample format, revision.

Source: SEG-Y_r1 (2002) and SEG-Y_r2.0 (2017), SEG Technical Standards Committee. Bytes are counted
from 1, as there.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from saltseg.plumbing.errors import InputError
from saltseg.seismic.options import ByteOrder, SurveyOptions
from saltseg.seismic.sample_formats import FORMATS, REFUSED, SampleFormat, order_code
from saltseg.seismic.text_header import TEXT_BYTES

HEAD_BYTES = 3600
FORMAT_BYTE = 3225
_MARKS = {b"\x01\x02\x03\x04": ByteOrder.BIG, b"\x04\x03\x02\x01": ByteOrder.LITTLE}
_SWAPPED_MARKS = (b"\x02\x01\x04\x03", b"\x03\x04\x01\x02")


@dataclass(frozen=True)
class SegyHeader:
    """The first 3,600 bytes, and how to read what follows them."""

    content: bytes
    order: ByteOrder
    sample_format: SampleFormat
    stated_format: int
    revision: int

    @property
    def text(self) -> bytes:
        """The textual header, as it stands in the file."""
        return self.content[:TEXT_BYTES]

    def number(self, byte: int, code: str) -> int:
        """Return the integer that begins at `byte`; code: of module struct."""
        value = self._value(byte, code)
        return int(value)

    def float64(self, byte: int) -> float:
        """Return the eight-byte float that begins at `byte`."""
        return float(self._value(byte, "d"))

    def _value(self, byte: int, code: str) -> float:
        (value,) = struct.unpack_from(order_code(self.order) + code, self.content, byte - 1)
        return value


def read_segy_header(path: Path, content: bytes, options: SurveyOptions) -> SegyHeader:
    """Read a file's first 3,600 bytes. Raises InputError where they are no SEG-Y's."""
    order = _byte_order(path, content, options)
    stated = _stated_format(content, order)
    number = options.sample_format if options.sample_format is not None else stated
    if number in REFUSED:
        raise InputError(
            f"{path}: byte {FORMAT_BYTE}: sample format {number} ({REFUSED[number]}) is not read;"
            " convert the file to format 5 (IEEE float), or name another with --format"
        )
    if number not in FORMATS:
        known = ", ".join(map(str, FORMATS))
        raise InputError(f"{path}: --format {number}: is no sample format; give one of {known}")
    return SegyHeader(content, order, FORMATS[number], stated, _revision(content))


def _byte_order(path: Path, content: bytes, options: SurveyOptions) -> ByteOrder:
    if options.byte_order is not None:
        order = options.byte_order
        if options.sample_format is None and _stated_format(content, order) not in _KNOWN:
            raise _no_format_in(order, path, content)
        return order
    mark = content[3296:3300]
    if mark in _MARKS:
        return _MARKS[mark]
    if mark in _SWAPPED_MARKS:
        raise InputError(
            f"{path}: bytes 3297-3300 say that the bytes of a number are swapped in pairs; write it"
            " again big-endian, or name the order with --byte-order"
        )
    fitting = [order for order in ByteOrder if _stated_format(content, order) in _KNOWN]
    if fitting:
        return fitting[0]
    if options.sample_format is None:
        raise _no_format(path, content)
    return _order_by_samples(content)


_KNOWN = FORMATS.keys() | REFUSED.keys()


def _order_by_samples(content: bytes) -> ByteOrder:
    """Return the order in which the number of samples is the smaller: few files have over 256."""
    samples = content[3220:3222]
    big, little = (int.from_bytes(samples, order) for order in ("big", "little"))
    return ByteOrder.BIG if big <= little else ByteOrder.LITTLE


def _stated_format(content: bytes, order: ByteOrder) -> int:
    return int.from_bytes(content[FORMAT_BYTE - 1 : FORMAT_BYTE + 1], order.value)


def _no_format_in(order: ByteOrder, path: Path, content: bytes) -> InputError:
    """Return what is wrong where an order was named: the name, if the other order has a format."""
    (other,) = set(ByteOrder) - {order}
    number = _stated_format(content, other)
    if number not in _KNOWN:
        return _no_format(path, content)
    return InputError(
        f"{path}: --byte-order {order}: byte {FORMAT_BYTE} holds {_stated_format(content, order):,}"
        f" then, which is no sample format, and {other}-endian it is format {number}; leave"
        " --byte-order out"
    )


def _no_format(path: Path, content: bytes) -> InputError:
    big, little = (_stated_format(content, order) for order in ByteOrder)
    return InputError(
        f"{path}: byte {FORMAT_BYTE} holds {big:,} (little-endian {little:,}), which is no sample"
        " format of SEG-Y; if it is SEG-Y at all, name the format with --format, such as 1 (IBM"
        " float) or 5 (IEEE float)"
    )


def _revision(content: bytes) -> int:
    """Return the revision's first digit; writers of little-endian files put it second."""
    major = content[3500] or content[3501]
    return major if major in (1, 2) else 0
