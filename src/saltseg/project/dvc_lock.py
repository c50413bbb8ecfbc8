"""What DVC writes into dvc.lock: stages, and the hashes of what they read and made."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file
from saltseg.plumbing.litter import is_litter

Stages = Mapping[str, Any]
"""The entries of dvc.lock by the stages' names."""


def read(content: bytes) -> dict[str, Any]:
    """Return the stages in the content of a dvc.lock; an empty one holds none.

    Raises InputError where it is damaged.
    """
    try:
        # The C loader reads a lock of a thousand lines ten times as fast.
        lock = yaml.load(content, Loader=yaml.CSafeLoader) or {}
        stages = dict(lock.get("stages") or {})
        for stage in stages.values():
            for entry in (*stage.get("deps", []), *stage.get("outs", [])):
                entry["path"].encode(), entry.get("md5", "").encode()
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise InputError(
            f"dvc.lock: is damaged ({' '.join(str(error).split())[:100]}); fetch the committed one "
            "with 'git checkout dvc.lock', or remove it and run 'dvc repro'"
        ) from error
    return stages


def read_checkout(root: Path) -> dict[str, Any]:
    """Return the stages in a checkout's dvc.lock; none before the first run."""
    path = root / "dvc.lock"
    return read(path.read_bytes()) if path.exists() else {}


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


def folder_hash(folder: Path) -> str:
    """Return the hash of a folder as DVC writes it into dvc.lock."""
    return tree_hash(folder_files(folder))


def tree_hash(files: Mapping[str, str]) -> str:
    """Return DVC's hash of a folder from the hashes of its files by relative path.

    DVC hashes the JSON list of the files' paths and hashes (dvc_data.hashfile.tree.Tree).
    """
    entries = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
