"""The folder of this user's own that holds the sockets of recorders."""

import os
import stat
import tempfile
from pathlib import Path

from saltseg.plumbing.errors import InputError


def socket_folder() -> Path:
    """Return a folder that only this user can enter; make it where there is none.

    Raises InputError where its place is taken by something else.
    """
    folder = Path(tempfile.gettempdir()) / f"saltseg-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise InputError(f"{folder}: is not a folder of yours alone; remove it")
    return folder
