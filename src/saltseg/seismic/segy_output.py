"""Predictions as SEG-Y files that are the input but for their samples.

The textual header, the binary header, extended headers, every trace header and the stanzas behind
the last trace are copied byte for byte; traces are as many, in the same order and of the same
length. Every file is read again and compared before it gets its name.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import whole_file
from saltseg.plumbing.progress import progress
from saltseg.seismic.bricks import Brick, bricks, count_bricks, whole_traces
from saltseg.seismic.columns import Integers
from saltseg.seismic.file_bytes import FileBytes
from saltseg.seismic.sample_encoding import encode, integer_scale, is_kept, output_format
from saltseg.seismic.sample_formats import FORMATS, SampleFormat, order_code
from saltseg.seismic.segy import SegySurvey
from saltseg.seismic.segy_header import FORMAT_BYTE
from saltseg.seismic.store import StoredSurvey
from saltseg.seismic.text_header import TEXT_BYTES

Values = npt.NDArray[np.float32]
Reader = Callable[[Brick], Values]
"""Returns what is written of a brick's whole traces, 0 to 1, float32 (rows, columns, samples)."""
_COPIED = 1 << 24


@dataclass(frozen=True)
class SegyContent:
    """A file to write: its path, what of the store it holds, and what stands for 1."""

    path: Path
    read: Reader
    scale: int


def segy_contents(
    survey: SegySurvey, folder: Path, probability: Reader, mask: Reader
) -> list[SegyContent]:
    """Return probability.sgy and mask.sgy in `folder`; probabilities are scaled in integers."""
    scale = integer_scale(output_format(survey.layout.header))
    return [
        SegyContent(folder / "probability.sgy", probability, scale),
        SegyContent(folder / "mask.sgy", mask, 1),
    ]


def write_segy(survey: SegySurvey, store: StoredSurvey, contents: Sequence[SegyContent]) -> None:
    """Write files with the headers of the survey's own.

    store: of the survey's grid. Raises InputError where a file cannot be written, or holds
    something else when it is read again.
    """
    with ExitStack() as stack:
        names = [stack.enter_context(whole_file(content.path)) for content in contents]
        copy = _SegyCopy(survey, store)
        files = [stack.enter_context(name.open("w+b")) for name in names]
        for file in files:
            copy.write_frame(file.fileno())
        for brick, rows, traces in copy.blocks("SEG-Y"):
            headers = copy.headers(traces)
            for file, content in zip(files, contents, strict=True):
                values = copy.cut(content.read(brick), rows, traces)
                copy.write(file.fileno(), traces, headers, values, content.scale)
        for file in files:
            file.flush()
            os.fsync(file.fileno())
        for name, content in zip(names, contents, strict=True):
            compare(survey, store, name, content)


def compare(survey: SegySurvey, store: StoredSurvey, written: Path, content: SegyContent) -> None:
    """Read a file again; raise InputError where it is not what was to be written."""
    copy = _SegyCopy(survey, store)
    with FileBytes(written) as file:
        if file.size != copy.size or not copy.has_frame(file):
            raise _differs(content.path, "its length or its headers")
        for brick, rows, traces in copy.blocks("SEG-Y, read again"):
            raw = file.read_rows(copy.starts(traces), copy.trace_bytes)
            if not np.array_equal(raw[:, : copy.header_bytes], copy.headers(traces)):
                raise _differs(content.path, "a trace header")
            values = copy.cut(content.read(brick), rows, traces)
            samples = np.ascontiguousarray(raw[:, copy.header_bytes :])
            kept = is_kept(values, samples, copy.format, copy.order, content.scale)
            if not kept.all():
                trace = int(traces[~kept][0]) + 1
                raise _differs(content.path, f"the samples of trace {trace:,}")


def _differs(path: Path, what: str) -> InputError:
    return InputError(
        f"{path}: was written, but {what} read otherwise: the disk may be faulty; write it to"
        " another one with --out"
    )


class _SegyCopy:
    """Where the parts of a copy of a SEG-Y file lie, in its own sample format."""

    def __init__(self, survey: SegySurvey, store: StoredSurvey) -> None:
        self.survey, self.store = survey, store
        self.layout = survey.layout
        header = survey.layout.header
        self.format: SampleFormat = output_format(header)
        self.order = header.order
        self.header_bytes = survey.layout.header_bytes
        self.trace_bytes = self.header_bytes + survey.layout.samples * self.format.width
        self.end = survey.layout.start + survey.layout.traces * self.trace_bytes
        self.trailer = self._trailer()
        self.size = self.end + self.trailer[1]
        places = survey.places()
        self._order = np.argsort(places, kind="stable")
        self._sorted = places[self._order]

    def _trailer(self) -> tuple[int, int]:
        """Return where the stanzas behind the last trace begin in the survey, and their length."""
        header = self.layout.header
        start = self.layout.offset(self.layout.traces)
        stanzas = header.number(3529, "i") if header.revision == 2 else 0
        rest = self.survey.file.size - start
        return start, rest if rest == stanzas * TEXT_BYTES else 0

    def starts(self, traces: Integers) -> list[int]:
        """Return where traces begin in the copy."""
        places: list[int] = (self.layout.start + traces * self.trace_bytes).tolist()
        return places

    def headers(self, traces: Integers) -> npt.NDArray[np.uint8]:
        """Read the headers of traces from the survey."""
        starts = self.layout.start + traces * self.layout.trace_bytes
        return self.survey.file.read_rows(starts.tolist(), self.header_bytes)

    def blocks(self, title: str) -> Iterator[tuple[Brick, Integers, Integers]]:
        """Yield bricks of whole traces, the place in them of each trace, and its number."""
        side = whole_traces(self.store.shape)
        count = count_bricks(self.store.shape, side)
        parts = bricks(self.store.shape, side)
        for brick in progress(parts, title, count) if count > 1 else parts:
            yield brick, *self._traces(brick)

    def _traces(self, brick: Brick) -> tuple[Integers, Integers]:
        """Return where in a brick its traces lie, and their numbers, rising."""
        places, traces = [], []
        wide = self.store.shape[1]
        high = brick.last[1] - brick.first[1]
        for row in range(brick.first[0], brick.last[0]):
            first = row * wide + brick.first[1]
            found = slice(*np.searchsorted(self._sorted, (first, first + high)))
            traces.append(self._order[found])
            places.append(self._sorted[found] - first + (row - brick.first[0]) * high)
        numbers = np.concatenate(traces)
        rising = np.argsort(numbers, kind="stable")
        return np.concatenate(places)[rising], numbers[rising]

    def cut(self, values: Values, rows: Integers, traces: Integers) -> Values:
        """Take traces out of a brick, each from where it begins in the file."""
        samples = self.layout.samples
        found = values.reshape(-1, values.shape[-1])[rows]
        if self.survey.shifts is None:
            return found
        shifts = self.survey.shifts[traces]
        return np.take_along_axis(found, shifts[:, None] + np.arange(samples), axis=1)

    def write(
        self,
        descriptor: int,
        traces: Integers,
        headers: npt.NDArray[np.uint8],
        values: Values,
        scale: int,
    ) -> None:
        """Write traces at their places; those that follow each other at once."""
        samples = encode(values, self.format, self.order, scale)
        content = np.concatenate([headers, samples], axis=1)
        breaks = np.flatnonzero(np.diff(traces) != 1) + 1
        starts = self.starts(traces)
        for first, last in pairwise([0, *breaks.tolist(), len(traces)]):
            _write(descriptor, content[first:last].tobytes(), starts[first])

    def write_frame(self, descriptor: int) -> None:
        """Write what lies before the first trace and behind the last."""
        for start, content in self._frame():
            _write(descriptor, content, start)

    def has_frame(self, file: FileBytes) -> bool:
        """Tell whether a file holds what lies before the first trace and behind the last."""
        return all(file.read(start, len(content)) == content for start, content in self._frame())

    def _frame(self) -> Iterator[tuple[int, bytes]]:
        read = self.survey.file.read
        for start in range(0, self.layout.start, _COPIED):
            part = read(start, min(_COPIED, self.layout.start - start))
            yield start, self._with_format(part) if start == 0 else part
        first, size = self.trailer
        for start in range(0, size, _COPIED):
            yield self.end + start, read(first + start, min(_COPIED, size - start))

    def _with_format(self, head: bytes) -> bytes:
        """Write the sample format into a header that names none."""
        header = self.layout.header
        if header.stated_format in FORMATS:
            return head
        changed = bytearray(head)
        code = order_code(self.order) + "h"
        struct.pack_into(code, changed, FORMAT_BYTE - 1, self.format.number)
        return bytes(changed)


def _write(descriptor: int, content: bytes, start: int) -> None:
    view = memoryview(content)
    while view:
        done = os.pwrite(descriptor, view, start)
        view, start = view[done:], start + done
