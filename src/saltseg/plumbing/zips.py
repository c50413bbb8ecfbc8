"""Reading untrusted zips: names and sizes are checked before anything is unpacked."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from saltseg.plumbing.errors import InputError

MOST = 1 << 28
"""Largest image or table in bytes: 256 MiB, hundreds of times the largest of Kaggle's."""

MOST_ZIPPED = 1 << 32
"""Largest zip within a zip, which is unpacked in memory, in bytes: 4 GiB."""

_SMALL = 1 << 20
"""Entries of up to this many bytes may have any compression ratio."""

_RATIO = 200
"""Largest compression ratio of larger entries. RLE tables reach 30, DEFLATE at most 1,032."""

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Entry:
    """A file in a zip: its path there, and how to unpack it."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo
    place: PurePosixPath

    def read(self) -> bytes:
        """Unpack it. Raises OSError if it is damaged, encrypted, or compressed in an unknown way.

        At most the size that was checked is unpacked, whatever follows in the zip.
        """
        try:
            return self.archive.read(self.info)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
            # RuntimeError is what zipfile raises for a password or an unknown compression.
            raise OSError(str(error)) from error


def open_zip(source: Path | bytes, named: Path) -> zipfile.ZipFile:
    """Open a zip from a file or its content. Raises InputError about `named` if it is not a zip."""
    try:
        return zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (OSError, zipfile.BadZipFile, RuntimeError, ValueError, struct.error) as error:
        raise InputError(f"{named}: cannot be opened ({error}); download it again") from error


def entries(archive: zipfile.ZipFile, named: Path) -> list[Entry]:
    """Return the files in a zip, without hidden ones and those added by macOS.

    Backslashes, which Windows tools write, count as slashes. Raises InputError, calling the zip
    `named`, for a path that leads outside and for an entry that unpacks to an absurd size.
    """
    found = []
    for info in archive.infolist():
        place = _place(info, named)
        if info.filename.endswith(("/", "\\")) or is_hidden(place):
            continue
        _check_size(info, place, named)
        found.append(Entry(archive, info, place))
    return found


def is_hidden(place: Path | PurePosixPath) -> bool:
    """Return whether a file or a folder above it is hidden, or added to a zip by macOS."""
    return any(part.startswith(".") or part == "__MACOSX" for part in place.parts)


def _place(info: zipfile.ZipInfo, named: Path) -> PurePosixPath:
    name = info.filename.replace("\\", "/")
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts or _DRIVE.match(name):
        raise InputError(
            f"{named}: contains {info.filename!a}, which leads outside the zip; make the zip again"
            " from within its folder"
        )
    return place


def _check_size(info: zipfile.ZipInfo, place: PurePosixPath, named: Path) -> None:
    most = MOST_ZIPPED if place.suffix.lower() == ".zip" else MOST
    large = info.file_size > _SMALL
    if info.file_size > most:
        why = f"more than the {most:,} that such a file may have"
    elif large and info.file_size > _RATIO * max(info.compress_size, 1):
        why = f"{info.file_size // max(info.compress_size, 1):,} times its size in the zip"
    else:
        return
    raise InputError(
        f"{named}: {place} unpacks to {info.file_size:,} bytes, {why}; remove it from the zip, or"
        " put the unpacked file beside it"
    )
