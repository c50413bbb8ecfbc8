"""A hash that tells one survey's content from another's: of it all, or of parts if it is large."""

import hashlib
from pathlib import Path
from typing import Any

from saltseg.seismic.bucket import BucketPath
from saltseg.seismic.file_bytes import FileBytes

WHOLE = 1 << 35
"""Bytes (32 GiB) up to which a file is hashed whole; it takes a minute or two."""
_PART, _PARTS = 1 << 20, 1024


def fingerprint(path: Path, whole: int = WHOLE) -> dict[str, Any]:
    """Return "bytes", "sha256" and "of", which says what was hashed.

    A file of more than `whole` bytes is known by its size and 1,024 pieces of 1 MiB, evenly over
    it, first and last among them. A store, a folder, is known by the names and the content of its
    files. Raises InputError where a file cannot be read.
    """
    if isinstance(path, BucketPath):
        return path.fingerprint()
    if path.is_dir():
        return _of_folder(path, whole)
    hashed = hashlib.sha256()
    with FileBytes(path) as file:
        size = file.size
        if size <= whole:
            for start in range(0, size, _PART):
                hashed.update(file.read(start, min(_PART, size - start)))
            return {"bytes": size, "sha256": hashed.hexdigest(), "of": "the whole file"}
        hashed.update(str(size).encode())
        for piece in range(_PARTS):
            start = (size - _PART) * piece // (_PARTS - 1)
            hashed.update(file.read(max(start, 0), min(_PART, size)))
    return {"bytes": size, "sha256": hashed.hexdigest(), "of": f"its size and {_PARTS:,} MiB of it"}


def _of_folder(folder: Path, whole: int) -> dict[str, Any]:
    hashed, size = hashlib.sha256(), 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found = fingerprint(path, whole)
        size += found["bytes"]
        name = path.relative_to(folder).as_posix()
        hashed.update(f"{found['sha256']}  {name}\n".encode())
    return {"bytes": size, "sha256": hashed.hexdigest(), "of": "its files"}
