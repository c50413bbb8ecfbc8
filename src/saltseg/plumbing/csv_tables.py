"""CSV tables from users: plain or compressed, with or without a BOM."""

import csv
import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import read_regular
from saltseg.plumbing.zips import MOST, entries, open_zip

_SUFFIXES = {b"\x1f\x8b": ".gz", b"PK\x03\x04": ".zip"}
"""Suffix of a compressed file, by its magic bytes."""


@dataclass(frozen=True)
class CsvTable:
    """The lines of a CSV file.

    path: name of the file in error messages. header: fields of the first line. rows: fields of the
    other lines. lines: line number of each row in the file, from 1.
    """

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def refuse_extra_fields(self) -> None:
        """Raise InputError if a row has more fields than the header."""
        count = len(self.header)
        rows = zip(self.lines, self.rows, strict=True)
        wrong = [
            f"line {line} has {len(row)} ({','.join(row)[:60]!r})"
            for line, row in rows
            if len(row) > count
        ]
        if wrong:
            raise InputError(
                f"{self.path}: more than the {count} fields of the header in {len(wrong):,} of"
                f" {len(self.rows):,} rows: {first_few(wrong, 3)}; quote fields that contain"
                " commas, or remove the extra fields"
            )


def read_csv(path: Path, named: Path | None = None) -> CsvTable:
    """Read a CSV file, .csv.gz or .zip of one CSV; see parse_csv.

    named: name of the file in error messages, if not `path`.
    Raises InputError if it is not a regular file, is too large or damaged, or is compressed in a
    way that does not match its suffix.
    """
    content = read_regular(path, MOST)
    suffix = next((s for magic, s in _SUFFIXES.items() if content.startswith(magic)), "")
    ending = path.suffix.lower() if path.suffix.lower() in _SUFFIXES.values() else ""
    if suffix != ending:
        kind = {".gz": "gzip", ".zip": "a zip", "": "not compressed"}[suffix]
        better = path.with_suffix("") if ending else path
        raise InputError(f"{path}: is {kind} by its content; rename it to {better.name}{suffix}")
    if suffix == ".gz":
        content = _gunzipped(path, content)
    elif suffix == ".zip":
        content = _only_file(path)
    return parse_csv(content, named or path)


def parse_csv(content: bytes, path: Path) -> CsvTable:
    """Split UTF-8 text into fields, without a BOM or empty lines at the end.

    Raises InputError that says where the text is not valid UTF-8 or CSV.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path}: is UTF-16, not UTF-8; save it as CSV UTF-8")
    try:
        text = content.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except csv.Error as error:
        raise InputError(f"{path}: cannot be read as CSV ({error}); write it again") from error
    while rows and not rows[-1][1]:
        rows.pop()
    header = rows[0][1] if rows else []
    return CsvTable(path, header, [row for _, row in rows[1:]], [line for line, _ in rows[1:]])


def _gunzipped(path: Path, content: bytes) -> bytes:
    """Unpack gzip, up to the size limit."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be unpacked ({error}); write it again") from error
    if len(unpacked) > MOST:
        raise InputError(f"{path}: unpacks to more than {MOST:,} bytes, which no table has")
    return unpacked


def _only_file(path: Path) -> bytes:
    with open_zip(path, path) as archive:
        found = entries(archive, path)
        if len(found) != 1:
            names = first_few([str(entry.place) for entry in found])
            raise InputError(f"{path}: holds {len(found)} files ({names}); zip one table alone")
        try:
            return found[0].read()
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: cannot be unpacked ({error}); write it again") from error
