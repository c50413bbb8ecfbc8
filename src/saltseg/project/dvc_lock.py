"""What DVC writes into dvc.lock: stages, and the hashes of what they read and made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from saltseg.plumbing.files import hash_file
from saltseg.plumbing.litter import is_litter

Stages = Mapping[str, Any]
"""The entries of dvc.lock by the stages' names."""


def read(content: bytes) -> dict[str, Any]:
    """Return the stages in the content of a dvc.lock; an empty one holds none."""
    # The C loader reads a lock of a thousand lines ten times as fast.
    lock = yaml.load(content, Loader=yaml.CSafeLoader) or {}
    return dict(lock.get("stages") or {})


def hashes(stages: Stages, kind: str) -> dict[str, str]:
    """Return the hashes of the stages' "deps" or "outs" by path; what has none is left out."""
    return {
        entry["path"]: entry["md5"]
        for stage in stages.values()
        for entry in stage.get(kind, [])
        if "md5" in entry
    }


def folder_files(folder: Path) -> dict[str, str]:
    """Return the hashes of the files that DVC counts to a folder, by their path in it."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        place.as_posix(): hash_file(path)
        for place, path in files.items()
        if path.name != ".gitignore" and not is_litter(place)
    }
