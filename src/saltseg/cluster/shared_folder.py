"""A folder that all nodes of a cluster must see, such as one on NFS."""

import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import write_text

_MARK = ".saltseg-shared"


@dataclass(frozen=True)
class SharedFolder:
    """Its absolute path, and the mark by which a node knows it from its own folder of that name."""

    path: Path
    mark: str

    @classmethod
    def made(cls, path: Path) -> "SharedFolder":
        """Make the folder, and mark it. Raises InputError if that fails."""
        file = path.resolve() / _MARK
        if file.exists():
            return cls(file.parent, file.read_text(encoding="utf-8"))
        mark = secrets.token_hex(8)
        write_text(file, mark)
        return cls(file.parent, mark)

    def check(self) -> None:
        """Raise InputError where this process, on a node, does not see it."""
        file = self.path / _MARK
        try:
            seen = file.read_text(encoding="utf-8") == self.mark
        except OSError:
            seen = False
        if not seen:
            raise InputError(
                f"{self.path}: {socket.gethostname()} does not see this folder; give one that all"
                " nodes share, at the same path"
            )
