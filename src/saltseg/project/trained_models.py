"""Checking the snapshots in models/ against dvc.lock."""

import json
import shutil
from collections.abc import Collection
from pathlib import Path

from saltseg.config.params import Params
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_lock import folder_hash, hashes, read_checkout


def check_models(layout: Layout, params: Params) -> None:
    """Raise InputError that names a snapshot whose bytes differ from dvc.lock.

    DVC trusts its write-protected cache and does not hash it again. A model that dvc.lock does not
    list, because it was trained outside DVC, is accepted as it is.
    """
    settings = params.train_per_fold
    locked = _locked(layout.root)
    for member in settings.members:
        for fold in settings.folds:
            folder = layout.model(member, fold)
            known = locked.get(folder.relative_to(layout.root).as_posix())
            if known is not None and folder_hash(folder) != known:
                raise InputError(_damage(layout.root, folder, known))


def remove_stale_outputs(layout: Layout, params: Params) -> list[Path]:
    """Remove outputs of members and folds that are no longer in the parameters.

    These are models, pseudo-labels and histories of trainings. DVC leaves the outputs of removed
    matrix items in place, where they would change the hashes of their folders. They stay in its
    cache, so adding the item again needs no training. Only what dvc.lock lists, with the same hash,
    is removed. Returns the removed files and folders.
    """
    settings, history = params.train_per_fold, layout.plots("train-per-fold")
    items = [(member, fold) for member in settings.members for fold in settings.folds]
    wanted = {layout.model(member, fold) for member, fold in items}
    wanted |= {layout.plots("train-per-fold", *item) / "history.csv" for item in items}
    wanted |= {layout.data("pseudolabel", fold) for fold in settings.folds}
    places = (layout.models, layout.data("pseudolabel"), history)
    made = {layout.root / path: digest for path, digest in _locked(layout.root).items()}
    stale = sorted(
        path
        for path, digest in made.items()
        if any(path.is_relative_to(place) for place in places)
        if path not in wanted and path.exists() and _digest(path) == digest
    )
    for path in stale:
        _remove(path, places)
    return stale


def _digest(path: Path) -> str:
    return folder_hash(path) if path.is_dir() else hash_file(path)


def _remove(path: Path, places: Collection[Path]) -> None:
    """Remove a file or folder, and the folders below `places` that this leaves empty."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    for parent in path.parents:
        if parent in places or any(parent.iterdir()):
            return
        parent.rmdir()


def _locked(root: Path) -> dict[str, str]:
    return hashes(read_checkout(root), "outs")


def _damage(root: Path, folder: Path, digest: str) -> str:
    """Name the file of a model that differs from dvc.lock, and how to restore it."""
    stage = f"train-per-fold@{folder.parent.name}-{folder.name}"
    retrain = f"retrain with 'dvc repro --force --single-item {stage}'"
    for name, file_digest in _listed(root, digest).items():
        path = folder / name
        if not path.is_file() or hash_file(path) != file_digest:
            cached = f"files/md5/{file_digest[:2]}/{file_digest[2:]}"
            return (
                f"{path}: differs from dvc.lock; remove {cached} from DVC's cache and"
                f" {path}, then run 'dvc pull {stage}', or {retrain}"
            )
    return (
        f"{folder}: differs from dvc.lock; {retrain}, or run 'dvc commit {stage}' if you trained"
        " it outside DVC"
    )


def _listed(root: Path, digest: str) -> dict[str, str]:
    """Return the hashes of a folder's files by name from DVC's cache; {} if they are not there."""
    from dvc.exceptions import DvcException  # only here: takes a second
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            listed = Path(repo.cache.local.oid_to_path(digest)).read_text(encoding="utf-8")
        return {entry["relpath"]: entry["md5"] for entry in json.loads(listed)}
    except (DvcException, OSError, ValueError):
        return {}
