"""Git, called as a process."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from saltseg.plumbing.errors import InputError

_PATIENCE = 600
"""Seconds that git may take; the recorder of a pipeline must not hang with it for ever."""

PATCH = (
    "diff",
    "--binary",
    "--unified=3",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
"""The start of a `git diff` whose output `git apply` takes, whatever the user configured."""


def git(
    root: Path,
    *arguments: str,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Return what git prints in `root`. Raises InputError with its reason where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            input=stdin,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except OSError as error:
        raise InputError(f"git: cannot be run ({error.strerror}); install it") from error
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"git {arguments[0]}: took more than {_PATIENCE} s in {root}; see what keeps the disk"
        ) from error
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise InputError(f"git {arguments[0]}: {said}")
    return done.stdout


def find_commit(root: Path, revision: str) -> str | None:
    """Return the hash of the commit that `revision` names; None where it names none."""
    named = ["rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        return git(root, *named).decode().strip()
    except InputError:
        return None
