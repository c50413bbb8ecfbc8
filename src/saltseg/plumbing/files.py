"""Reading files safely, and writing them atomically: to a temporary name, then renamed."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import psutil

from saltseg.plumbing.errors import InputError

_LEFTOVER = re.compile(r"\..+\.(\d+)(?:\.\w+)?")
"""The name of a temporary file of `whole_file`: .NAME.PID.SUFFIX."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    Raises InputError, naming the file and the system's reason, if it cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {_why_unwritten(path, error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _why_unwritten(path: Path, error: OSError) -> str:
    """Return the reason why `path` cannot be written, and what to do."""
    file = next((each for each in path.parents if each.is_file()), None)
    if file:
        return f"{file} is a file; give a folder, or move the file away"
    # Libraries reword the system's message but keep its error number.
    reason = os.strerror(error.errno) if error.errno else error
    return f"{reason}; free space or change the permissions"


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, keeping its newlines."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_below(folder: Path, name: str, content: bytes) -> None:
    """Write the file `name`, a relative path, below `folder`, without following links.

    Raises InputError naming what leads out of the folder: "..", or a link.
    """
    path = folder / name
    within = path.relative_to(folder).parents if not Path(name).is_absolute() else []
    steps = [folder / each for each in within] + [path]
    linked = next((step for step in steps if step != folder and step.is_symlink()), None)
    if Path(name).is_absolute() or ".." in Path(name).parts or linked:
        raise InputError(f"{linked or name}: leads out of {folder}; nothing is written through it")
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
        file.write(content)


def sweep_leftovers(folder: Path) -> None:
    """Remove the temporary files of `whole_file` whose processes were killed."""
    for path in folder.glob(".*"):
        named = _LEFTOVER.fullmatch(path.name)
        if named and not psutil.pid_exists(int(named[1])) and path.is_file():
            path.unlink(missing_ok=True)


def visible(folder: Path, pattern: str) -> list[Path]:
    """Return the matching files below `folder`, sorted, without hidden ones.

    Half-written files are hidden, as is most of what editors and desktops leave behind.
    """
    found = folder.rglob(pattern)
    return sorted(
        path
        for path in found
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as indented JSON in its own key order, numpy scalars included."""
    write_text(path, json.dumps(content, indent=2, default=_plain, allow_nan=False) + "\n")


def check_regular(path: Path, most: int) -> None:
    """Raise InputError unless `path` is a regular file of up to `most` bytes.

    Call it before opening a file: opening a pipe may block forever, and a device may be endless.
    """
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file; name one that exists") from error
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise InputError(f"{path}: cannot be read: {reason}; name another file") from error
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"{path}: is a directory; name a file")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: is a pipe, socket or device, not a regular file; name a file")
    if found.st_size > most:
        raise InputError(f"{path}: has {found.st_size:,} bytes, more than the {most:,} allowed")


def read_regular(path: Path, most: int) -> bytes:
    """Return the content of a file. Raises InputError as check_regular, or if it is unreadable.

    At most `most` bytes are read, even if the file grows meanwhile.
    """
    check_regular(path, most)
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror or error}; change its permissions, or save it"
            " again"
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises InputError if the file is missing or not a JSON object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); make it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds a {type(content).__name__}, not an object; make it again")
    return content


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as parquet, without its index."""
    with whole_file(path) as temporary:
        table.to_parquet(temporary, index=False)


def write_csv(path: Path, table: pd.DataFrame, decimals: int = 6) -> None:
    """Write a table as CSV with `decimals` decimal places and Unix newlines."""
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, float_format=f"%.{decimals}f", lineterminator="\n")


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as .npy, in C order."""
    write_array_parts(path, array.shape, array.dtype, [array])


def write_array_parts(
    path: Path,
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    parts: Iterable[npt.NDArray[Any]],
) -> None:
    """Write a .npy file part by part along the first axis, with one part in memory at a time.

    On a full disk np.save gives no reason, and a memory-mapped file kills the process.
    """
    with array_file(path, shape, dtype) as file:
        for part in parts:
            file.write(part)


class ArrayFile:
    """A .npy file being written, part by part along its first axis."""

    def __init__(self, file: BinaryIO, dtype: npt.DTypeLike) -> None:
        """Take a file whose header has been written."""
        self._file = file
        self._dtype = dtype

    def write(self, part: npt.NDArray[Any]) -> None:
        """Append a part."""
        self._file.write(np.ascontiguousarray(part, self._dtype).data)


@contextmanager
def array_file(path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Iterator[ArrayFile]:
    """Open a .npy file to write an array of `shape` in parts; a failure leaves no file."""
    described = np.lib.format.dtype_to_descr(np.dtype(dtype))
    header = {"descr": described, "fortran_order": False, "shape": shape}
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        yield ArrayFile(file, dtype)


def hash_file(path: Path) -> str:
    """Return the MD5 of a file, as in dvc.lock."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is not a JSON value")
