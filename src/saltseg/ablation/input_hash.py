"""The hash of the code and raw data that a trial's result depends on."""

import hashlib
from pathlib import Path

from saltseg.config.sections import Ingest
from saltseg.project.dvc_lock import folder_hash
from saltseg.project.git import PATCH, git, scratch_index

_TRACKED = ("dvc.yaml", "requirements.lock", "src", "stages", "weights", "outside", "data")
"""The parts of the project that determine a trial's result, besides its parameters."""


def hash_inputs(root: Path, ingest: Ingest) -> str:
    """Hash the code, as hash_code does, and the raw folder, wherever it lies.

    A raw folder that is missing counts as an empty one: the stage ingest says what it needs.
    Raises InputError if there is no commit.
    """
    raw = "" if ingest.source == "survey" else folder_hash(root / ingest.raw_dir)
    return hashlib.sha256(f"{hash_code(root)}\n{raw}".encode()).hexdigest()


def hash_code(root: Path) -> str:
    """Hash the tracked files that a trial reads, with uncommitted changes.

    A commit that changes none of them, for example of documentation, keeps the hash.
    Raises InputError if there is no commit.
    """
    committed = git(root, "ls-tree", "-r", "HEAD", "--", *_TRACKED)
    with scratch_index(root) as index:
        git(root, "read-tree", "HEAD", environment=index)
        changed = git(root, *PATCH, "HEAD", "--", *_TRACKED, environment=index)
    return hashlib.sha256(committed + changed).hexdigest()
