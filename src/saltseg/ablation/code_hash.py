"""The hash of the code and inputs that a trial's result depends on."""

import hashlib
from pathlib import Path

from saltseg.project.git import PATCH, git, scratch_index

_CODE = ("dvc.yaml", "src", "stages", "weights", "outside", "data")
"""The parts of the project that determine a trial's result, besides its parameters."""


def hash_code(root: Path) -> str:
    """Hash the tracked files that a trial reads, with uncommitted changes.

    A commit that changes none of them, for example of documentation, keeps the hash.
    Raises InputError if there is no commit.
    """
    committed = git(root, "ls-tree", "-r", "HEAD", "--", *_CODE)
    with scratch_index(root) as index:
        git(root, "read-tree", "HEAD", environment=index)
        changed = git(root, *PATCH, "HEAD", "--", *_CODE, environment=index)
    return hashlib.sha256(committed + changed).hexdigest()
