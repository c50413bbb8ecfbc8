"""Writes SEG-Y byte by byte, in every form and with every fault, and reads it back by plain loops.

Another road than the package's: struct and arithmetic on single numbers.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

SHORT = {29, 71, 89, 109, 115, 117, 215}
"""Bytes of the trace header that hold two-byte integers; the others here hold four."""
CODES = {
    1: "I",
    2: "i",
    3: "h",
    5: "f",
    6: "d",
    7: "3s",
    8: "b",
    9: "q",
    10: "I",
    11: "H",
    12: "Q",
    15: "3s",
    16: "B",
}
TEXT = "\n".join(f"C{number:2d} LINE {number}" for number in range(1, 41))


@dataclass
class Segy:
    """A file to write: samples (traces, samples), and header fields by byte.

    headers: of each trace; common: of all. binary: byte -> (struct code, value), over the usual.
    """

    samples: npt.ArrayLike
    headers: Sequence[Mapping[int, int]]
    common: Mapping[int, int] = field(default_factory=dict)
    sample_format: int = 5
    order: str = ">"
    revision: int = 1
    interval: int = 4000
    binary: Mapping[int, tuple[str, float]] = field(default_factory=dict)
    text: bytes = b""
    extended: Sequence[bytes] = ()
    further_headers: int = 0
    trailer: bytes = b""

    def content(self) -> bytes:
        """Return the file's bytes."""
        samples = np.asarray(self.samples)
        parts = [self.text or text_header(TEXT), self._binary_header(samples.shape[1])]
        parts += list(self.extended)
        for trace, header in zip(samples.tolist(), self.headers, strict=True):
            usual = {115: samples.shape[1], 117: self.interval, 29: 1}
            parts.append(trace_header(usual | dict(self.common) | dict(header), self.order))
            parts.append(bytes(240 * self.further_headers))
            parts += [encode(value, self.sample_format, self.order) for value in trace]
        return b"".join([*parts, self.trailer])

    def write(self, path: Path) -> Path:
        """Write it; return the path."""
        path.write_bytes(self.content())
        return path

    def _binary_header(self, samples: int) -> bytes:
        header = bytearray(400)
        fields: dict[int, tuple[str, float]] = {
            3217: ("h", self.interval),
            3221: ("H", samples),
            3225: ("h", self.sample_format),
            3501: ("B", self.revision),
            3505: ("h", len(self.extended)),
            3507: ("h", self.further_headers),
        }
        for byte, (code, value) in (fields | dict(self.binary)).items():
            struct.pack_into(self.order + code, header, byte - 3201, value)
        return bytes(header)


def text_header(text: str, code: str = "cp037") -> bytes:
    """Return 40 lines of 80 characters."""
    lines = text.split("\n")[:40]
    return "".join(line.ljust(80)[:80] for line in lines).ljust(3200).encode(code)


def trace_header(fields: Mapping[int, int], order: str) -> bytes:
    """Return a trace header of 240 bytes."""
    header = bytearray(240)
    for byte, value in fields.items():
        code = "H" if byte == 115 else "h" if byte in SHORT else "i"
        struct.pack_into(order + code, header, byte - 1, value)
    return bytes(header)


def encode(value: float, sample_format: int, order: str) -> bytes:
    """Return one sample's bytes."""
    if sample_format == 1:
        return struct.pack(order + "I", ieee2ibm(value))
    if sample_format in (7, 15):
        return int(value).to_bytes(3, "big", signed=sample_format == 7)
    code = CODES[sample_format]
    return struct.pack(order + code, value if sample_format in (5, 6) else int(value))


def ieee2ibm(value: float) -> int:
    """Return the IBM float nearest to a number."""
    if value == 0:
        return 0
    sign, value = (0x80000000, -value) if value < 0 else (0, value)
    exponent = 0
    while value >= 1:
        value, exponent = value / 16, exponent + 1
    while value < 1 / 16:
        value, exponent = value * 16, exponent - 1
    fraction = round(value * 2**24)
    if fraction == 2**24:
        fraction, exponent = 2**20, exponent + 1
    return sign | (exponent + 64) << 24 | fraction


def ibm2ieee(word: int) -> float:
    """Return the number of an IBM float."""
    sign = -1.0 if word >> 31 else 1.0
    return sign * math.ldexp(word & 0xFFFFFF, 4 * ((word >> 24 & 0x7F) - 64) - 24)


def read_slowly(
    content: bytes, sample_format: int, order: str, samples: int, start: int = 3600
) -> list[tuple[dict[int, int], list[float]]]:
    """Return each trace's header fields and samples, by plain loops."""
    code = CODES[sample_format]
    width = struct.calcsize(code)
    traces = []
    while start < len(content):
        header = content[start : start + 240]
        fields = {
            byte: struct.unpack_from(order + ("h" if byte in SHORT else "i"), header, byte - 1)[0]
            for byte in (5, 9, 13, 21, 29, 71, 73, 77, 109, 181, 185, 189, 193, 215)
        }
        values = []
        for number in range(samples):
            place = start + 240 + number * width
            (value,) = struct.unpack_from(order + code, content, place)
            values.append(ibm2ieee(value) if sample_format == 1 else float(value))
        traces.append((fields, values))
        start += 240 + samples * width
    return traces


def volume(inlines: int = 6, crosslines: int = 5, samples: int = 40) -> npt.NDArray[np.float64]:
    """Return made-up amplitudes, (inlines, crosslines, samples): whole numbers but 0."""
    draw = np.random.default_rng(3)
    values = draw.integers(1, 100, (inlines, crosslines, samples))
    return (values * draw.choice([-1, 1], values.shape)).astype(np.float64)


def grid_headers(
    inlines: Sequence[int],
    crosslines: Sequence[int],
    inline_byte: int = 189,
    crossline_byte: int = 193,
) -> list[dict[int, int]]:
    """Return headers of traces by inline, then crossline, turned by 30 degrees, 25 by 12.5."""
    headers = []
    for i, inline in enumerate(inlines):
        for c, crossline in enumerate(crosslines):
            x, y = on_map(i, c)
            fields = {71: -100, 181: round(100 * x), 185: round(100 * y)}
            headers.append(fields | {inline_byte: inline, crossline_byte: crossline})
    return headers


def on_map(inline: int, crossline: int) -> tuple[float, float]:
    """Return x and y of a place, counted from 0: inlines 25 apart, crosslines 12.5."""
    along, across = 12.5 * crossline, 25.0 * inline
    turn = math.radians(30)
    return (
        500_000 + along * math.cos(turn) - across * math.sin(turn),
        6_000_000 + along * math.sin(turn) + across * math.cos(turn),
    )
