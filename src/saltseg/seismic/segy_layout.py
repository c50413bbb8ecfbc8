"""Where the traces of a SEG-Y file lie, and how long they are."""

from dataclasses import dataclass

from saltseg.plumbing.errors import InputError
from saltseg.seismic.file_bytes import FileBytes
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.segy_header import HEAD_BYTES, SegyHeader, read_segy_header
from saltseg.seismic.text_header import TEXT_BYTES, is_end

TRACE_HEADER = 240
_MOST_TEXTS = 1000
"""Extended textual headers that are looked through for the one that ends them."""


@dataclass(frozen=True)
class SegyLayout:
    """A SEG-Y file's traces: the first one's place, their number, and the size of each.

    start: bytes before the first trace. header_bytes: of each trace, 240 but for revision 2.
    notes: what the file gets wrong, in a line each.
    """

    header: SegyHeader
    start: int
    header_bytes: int
    samples: int
    traces: int
    notes: tuple[str, ...]

    @property
    def trace_bytes(self) -> int:
        """Bytes of a trace with its header."""
        return self.header_bytes + self.sample_bytes

    @property
    def sample_bytes(self) -> int:
        """Bytes of a trace's samples."""
        return self.samples * self.header.sample_format.width

    def offset(self, trace: int) -> int:
        """Return the place of a trace's header in the file; trace: counted from 0."""
        return self.start + trace * self.trace_bytes


def read_layout(file: FileBytes, options: SurveyOptions) -> SegyLayout:
    """Find a file's traces. Raises InputError where its headers and its size do not agree."""
    if file.size < HEAD_BYTES:
        raise InputError(
            f"{file.path}: has {file.size:,} bytes, and SEG-Y begins with {HEAD_BYTES:,} of"
            " headers; copy it again, or name another file"
        )
    header = read_segy_header(file.path, file.read(0, HEAD_BYTES), options)
    notes: list[str] = []
    start = _start(file, header, notes)
    header_bytes = _header_bytes(header, notes)
    end = file.size - _trailer(header, file.size - start, notes)
    if end - start < header_bytes:
        raise InputError(f"{file.path}: ends after its headers, without a trace; copy it again")
    samples = _samples(file, header, start, header_bytes, end, notes)
    size = header_bytes + samples * header.sample_format.width
    traces, rest = divmod(end - start, size)
    if traces == 0 or (rest and not options.whole_traces):
        raise _cut_short(file, samples, traces, rest)
    if rest:
        notes.append(
            f"the file was cut short: {traces:,} whole traces are read, {rest:,} bytes not"
        )
    return SegyLayout(header, start, header_bytes, samples, traces, tuple(notes))


def _cut_short(file: FileBytes, samples: int, traces: int, rest: int) -> InputError:
    what = f"{file.path}: holds {traces:,} whole traces of {samples:,} samples (byte 3221)"
    if traces == 0:
        return InputError(f"{what}; name the sample format with --format, or copy it again")
    return InputError(
        f"{what} and {rest:,} bytes of another: it was cut short, or another --format is right;"
        " copy it again, or read the whole ones with --whole-traces"
    )


def _start(file: FileBytes, header: SegyHeader, notes: list[str]) -> int:
    """Return the first trace's place, behind the extended textual headers."""
    if header.revision == 0:
        return HEAD_BYTES
    stated = header.number(3521, "Q") if header.revision == 2 else 0
    if HEAD_BYTES <= stated < file.size:
        return stated
    count = header.number(3505, "h")
    if count == -1:
        return _behind_the_end(file)
    if count >= 0 and HEAD_BYTES + count * TEXT_BYTES + TRACE_HEADER <= file.size:
        return HEAD_BYTES + count * TEXT_BYTES
    notes.append(
        f"byte 3505 says {count:,} extended textual headers, which the file is too short for:"
        " taken as none"
    )
    return HEAD_BYTES


def _behind_the_end(file: FileBytes) -> int:
    for count in range(_MOST_TEXTS):
        place = HEAD_BYTES + count * TEXT_BYTES
        if place + TEXT_BYTES > file.size:
            break
        if is_end(file.read(place, TEXT_BYTES)):
            return place + TEXT_BYTES
    raise InputError(
        f"{file.path}: byte 3505 says that extended textual headers go on to an ((SEG: EndText)),"
        " and there is none; write their number there, 0 for none"
    )


def _header_bytes(header: SegyHeader, notes: list[str]) -> int:
    """Return the bytes before a trace's samples: revision 2 allows further headers of 240."""
    further = header.number(3507, "h") if header.revision == 2 else 0
    if 0 <= further <= 100:
        return TRACE_HEADER * (1 + further)
    notes.append(f"byte 3507 says {further:,} further trace headers: taken as none")
    return TRACE_HEADER


def _trailer(header: SegyHeader, room: int, notes: list[str]) -> int:
    """Return the bytes of the stanzas behind the last trace, which revision 2 allows."""
    stanzas = header.number(3529, "i") if header.revision == 2 else 0
    if 0 <= stanzas * TEXT_BYTES < room:
        return stanzas * TEXT_BYTES
    notes.append(f"byte 3529 says {stanzas:,} trailing stanzas: taken as none")
    return 0


def _samples(
    file: FileBytes,
    header: SegyHeader,
    start: int,
    header_bytes: int,
    end: int,
    notes: list[str],
) -> int:
    """Return the samples of a trace: of what the headers say, that which the file's size fits."""
    extended = header.number(3269, "i") if header.revision == 2 else 0
    trace = int.from_bytes(file.read(start + 114, 2), header.order.value)
    stated = [(3269, extended), (3221, header.number(3221, "H")), (115, trace)]
    stated = [(byte, samples) for byte, samples in stated if samples > 0]
    if not stated:
        raise InputError(
            f"{file.path}: bytes 3221 and 115 say that a trace has 0 samples; write their number"
            " into byte 3221"
        )
    width = header.sample_format.width
    fitting = [pair for pair in stated if (end - start) % (header_bytes + pair[1] * width) == 0]
    byte, samples = (fitting or stated)[0]
    others = [f"byte {other} {count:,}" for other, count in stated if count != samples]
    if others:
        size = "which the file's size fits" if fitting else "though the file's size fits neither"
        notes.append(
            f"samples of a trace: {' and '.join(others)}, byte {byte} {samples:,}: {samples:,}"
            f" taken, {size}"
        )
    return samples
