"""Lineage: hashes of the data, parameters, code and models that a submission comes from.

Files and folders have the MD5 that DVC writes to dvc.lock, so that the two can be compared;
parameters and code have a SHA-256.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from saltseg.config.params import Params
from saltseg.config.schema import Fold
from saltseg.config.sections import CHANGES_NOTHING
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.modules import PACKAGE, modules
from saltseg.project import dvc_lock


def manifest(layout: Layout, params: Params, submission: Path) -> dict[str, Any]:
    """Return the hashes of everything that `submission` was made from, and its own.

    The manifest has no time, host or commit: equal inputs give an equal manifest on any machine. A
    file or folder that exists is hashed; otherwise its hash comes from dvc.lock. Raises InputError
    if neither has it.
    """
    return {
        "submission": "md5:" + hash_file(submission),
        "raw": raw_data(layout.root, params),
        "parameters": _parameters(params),
        "code": {
            "src/saltseg": code_digest(),
            "stages": _digest_code(layout.root, modules(layout.root / "stages")),
        },
        "requirements.lock": _tracked_hash(layout.root, "requirements.lock"),
        "models": {
            f"{member}/{fold}": _model_hash(layout, member, fold)
            for member in params.train_per_fold.members
            for fold in params.train_per_fold.folds
        },
        **_outside(layout, params),
    }


def code_digest(package: Path = PACKAGE) -> str:
    """Return the digest of a package's code: paths and contents of its modules."""
    return _digest_code(package, modules(package))


def locked_outputs(root: Path) -> dict[str, str]:
    """Return the hash of each output by path, from dvc.lock and from .dvc files."""
    added = {}
    for file in sorted(root.glob("data/*.dvc")):
        for entry in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("outs", []):
            added[f"data/{entry['path']}"] = entry.get("md5", "")
    return added | dvc_lock.hashes(dvc_lock.read_checkout(root), "outs")


def raw_data(root: Path, params: Params) -> dict[str, str]:
    """Return what the crops were made from: files, or the survey's parameters."""
    if params.ingest.source == "survey":
        made_from = {"seed": params.base.seed, "survey": params.survey.model_dump(mode="json")}
        return {"source": "survey", "parameters": _digest(made_from)}
    known = dvc_lock.hashes(dvc_lock.read_checkout(root), "deps").get(params.ingest.raw_dir)
    return {
        "source": params.ingest.source,
        "files": "md5:" + _hash(root / params.ingest.raw_dir, known),
    }


def _model_hash(layout: Layout, member: str, fold: Fold) -> str:
    folder = layout.model(member, fold)
    known = locked_outputs(layout.root).get(folder.relative_to(layout.root).as_posix())
    return "md5:" + _hash(folder, known)


def _outside(layout: Layout, params: Params) -> dict[str, dict[str, str]]:
    """Return the hashes of members from outside; {} without any."""
    names = params.snapshot_ensemble.outside
    hashes = {name: "md5:" + _hash(layout.outside(name), None) for name in names}
    return {"outside": hashes} if hashes else {}


def _tracked_hash(root: Path, name: str) -> str:
    return "md5:" + _hash(root / name, None)


def _hash(path: Path, known: str | None) -> str:
    """Hash `path` if it exists; else return `known`, its hash in dvc.lock."""
    if path.is_dir():
        return dvc_lock.folder_hash(path)
    if path.is_file():
        return hash_file(path)
    if known is None:
        raise InputError(f"{path}: is missing, and dvc.lock has no hash for it; run 'dvc repro'")
    return known


def _parameters(params: Params) -> dict[str, str]:
    """Return the digest of each section, without parameters that change no result."""
    sections = params.model_dump(mode="json", exclude={"runtime": set(CHANGES_NOTHING)})
    return {"all": _digest(sections)} | {name: _digest(part) for name, part in sections.items()}


def _digest(content: object) -> str:
    """Return the SHA-256 of canonical JSON: sorted keys, no spaces."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _digest_code(folder: Path, files: Iterable[Path]) -> str:
    """Return one digest of the contents of `files` and their paths relative to `folder`."""
    return _digest({path.relative_to(folder).as_posix(): hash_file(path) for path in files})
