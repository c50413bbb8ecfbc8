"""A folder for sockets: private to this user, with a path short enough for a socket."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from saltseg.plumbing.private_folder import private_folder

_LONGEST_ADDRESS = 103
"""Longest path of a socket in bytes: sun_path has 104 on macOS, 108 on Linux, null-terminated."""

LONGEST_NAME = 32
"""Longest name of a socket in the folder, in bytes."""


def socket_folder() -> Path:
    """Return a folder that only this user can access, for sockets; create it if necessary.

    It is in the first suitable one of the temporary folder, /tmp, XDG_RUNTIME_DIR and /var/tmp.
    Stages and their recorder find the same one, since they share their environment variables.
    Raises OSError, with the problem of each, if none is suitable.
    """
    refused = []
    for place in _places():
        folder = place / f"saltseg-{os.getuid()}"
        try:
            return _private(folder)
        except OSError as error:
            refused.append(f"{folder}: {error.strerror or error}")
    raise OSError(f"no suitable folder for the recorder's socket: {'; '.join(refused)}")


def _places() -> Iterator[Path]:
    with suppress(FileNotFoundError):  # no writable temporary folder
        yield Path(tempfile.gettempdir())
    yield Path("/tmp")
    # Not the first choice: it is removed at logout, and a pipeline may run on.
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if Path(runtime).is_absolute():
        yield Path(runtime)
    yield Path("/var/tmp")


def _private(folder: Path) -> Path:
    """Create `folder`, or use the existing one if it is private to this user."""
    if len(os.fsencode(folder)) + 1 + LONGEST_NAME > _LONGEST_ADDRESS:
        raise OSError("its path is too long for a socket")
    return private_folder(folder)
