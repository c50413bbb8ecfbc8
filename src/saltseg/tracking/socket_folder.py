"""A folder for sockets: of this user alone, and with a path short enough for them."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LONGEST_ADDRESS = 103
"""Bytes of a socket's path: sun_path has 104 on macOS and 108 on Linux, with a zero at its end."""

LONGEST_NAME = 32
"""Bytes that the name of a socket in the folder may have."""


def socket_folder() -> Path:
    """Return a folder in which only this user can make, see and reach sockets; make it if need be.

    The first that will do of the folder for temporary files, /tmp, XDG_RUNTIME_DIR and /var/tmp.
    Stages and their recorder find the same one, for they have the same variables.
    Raises OSError, with what is wrong with each, where none will do.
    """
    refused = []
    for place in _places():
        folder = place / f"saltseg-{os.getuid()}"
        try:
            return _own(folder)
        except OSError as error:
            refused.append(f"{folder}: {error.strerror or error}")
    raise OSError(f"no folder for the recorder's socket: {'; '.join(refused)}")


def _places() -> Iterator[Path]:
    with suppress(FileNotFoundError):  # there is none that can be written to
        yield Path(tempfile.gettempdir())
    yield Path("/tmp")
    # It is removed when the user logs out, which a pipeline may outlive: not the first choice.
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if Path(runtime).is_absolute():
        yield Path(runtime)
    yield Path("/var/tmp")


def _own(folder: Path) -> Path:
    """Make `folder`, or take the one that is there where nobody else can have put it there."""
    if len(os.fsencode(folder)) + 1 + LONGEST_NAME > _LONGEST_ADDRESS:
        raise OSError("its path is too long for a socket")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise OSError("is no folder")
    if found.st_uid != os.getuid():
        raise OSError(f"belongs to user {found.st_uid}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise OSError(f"is open to others (mode {stat.S_IMODE(found.st_mode):o}); chmod 700 it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError("cannot be written into")
    return folder
