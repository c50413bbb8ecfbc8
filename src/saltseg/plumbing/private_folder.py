"""A folder in a place that others can write to, such as /tmp, that only this user can access."""

import os
import stat
from contextlib import suppress
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Return `path`, a folder that only this user can access; create it if necessary.

    Raises OSError with the reason if it cannot be made, or if somebody else made it first.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise OSError("is not a folder")
    if found.st_uid != os.getuid():
        raise OSError(f"belongs to user {found.st_uid}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise OSError(f"is open to others (mode {stat.S_IMODE(found.st_mode):o}); chmod 700 it")
    if not os.access(path, os.W_OK | os.X_OK):
        raise OSError("is not writable")
    return path
