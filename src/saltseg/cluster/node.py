"""One node of a cluster: its versions, its folder, and what it tells of itself.

Nodes answer in JSON as bytes, which Ray hands over without unpickling anything.
"""

import json
import os
import platform
import socket
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from saltseg import __version__
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.machine import cpu_model
from saltseg.plumbing.private_folder import private_folder
from saltseg.project.lineage import code_digest

Message = dict[str, Any]


def packed(**content: object) -> bytes:
    """Return a message of a node."""
    return json.dumps(content).encode()


def unpacked(message: bytes) -> Message:
    """Return the content of a message of a node. Raises InputError if it is none."""
    try:
        return dict(json.loads(message))
    except (ValueError, TypeError) as error:
        raise InputError(f"a node answered what is no message ({error}); restart Ray") from error


@dataclass(frozen=True)
class Versions:
    """What must be the same on all nodes."""

    python: str
    ray: str
    torch: str
    saltseg: str
    code: str
    """Digest of the package's code."""

    @classmethod
    def here(cls) -> "Versions":
        """Return those of this process."""
        parts = (version("ray"), version("torch"), __version__, code_digest())
        return cls(platform.python_version(), *parts)

    def check(self) -> None:
        """Raise InputError if this process, on a node, has others than the one that sent this."""
        here = Versions.here()
        for name in ("python", "ray", "torch", "saltseg", "code"):
            there, own = getattr(self, name), getattr(here, name)
            if there != own:
                what = f"saltseg's code (digest {own[7:15]})" if name == "code" else f"{name} {own}"
                raise InputError(
                    f"{socket.gethostname()}: has {what}, and the command was started with"
                    f" {there[7:15] if name == 'code' else there}; install the same on all nodes,"
                    " from the same requirements.lock and commit, and restart Ray"
                )


def node_facts() -> dict[str, str]:
    """Return what tells this node from others, for the record of what ran on it."""
    import ray

    return {
        "host": socket.gethostname(),
        "address": ray.util.get_node_ip_address(),
        "cpu": cpu_model(),
        "gpu": os.environ.get("CUDA_VISIBLE_DEVICES", "") and _gpu(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


def node_folder() -> Path:
    """Return this user's folder on this node, with DVC's cache and states; it may be removed.

    Raises InputError if it cannot be made, or if somebody else made it.
    """
    folder = Path(tempfile.gettempdir(), f"saltseg-node-{os.getuid()}")
    try:
        return private_folder(folder)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{folder}: {reason}; remove it, or set TMPDIR") from error
