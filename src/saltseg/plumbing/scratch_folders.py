"""Temporary folders that are removed even if the process that used them was killed."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock

_LOCK = ".in-use.lock"

_LOCKLESS = (errno.ENOLCK, errno.ENOTSUP)
"""What a file system answers that cannot lock, such as NFS without its lock service."""


@contextmanager
def scratch_folder(prefix: str, place: Path | None = None) -> Iterator[Path]:
    """Yield a new folder and remove it at the end; first remove abandoned ones.

    prefix: of the folder's name; those of others with the same are removed. place: the folder to
    make it in, or the system's for temporary files.
    A folder is in use while its lock is held; the system releases the lock when the process ends.
    """
    within = Path(tempfile.gettempdir()) if place is None else place
    _sweep(within, prefix)
    with (
        tempfile.TemporaryDirectory(
            prefix=prefix, dir=within, ignore_cleanup_errors=True
        ) as folder,
        ExitStack() as stack,
    ):
        try:
            stack.enter_context(FileLock(Path(folder, _LOCK)))
        except OSError as error:
            if error.errno not in _LOCKLESS:  # there, nothing can be swept either
                raise
        yield Path(folder).resolve()


def _sweep(place: Path, prefix: str) -> None:
    for folder in place.glob(f"{prefix}*"):
        lock = folder / _LOCK
        # Folders that are in use, or that belong to others, stay.
        with suppress(OSError, NotImplementedError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not lock.is_file():
                continue
            with FileLock(lock, timeout=0):
                for each in folder.iterdir():
                    if each == lock:
                        continue
                    shutil.rmtree(each) if each.is_dir() else each.unlink()
            shutil.rmtree(folder)
