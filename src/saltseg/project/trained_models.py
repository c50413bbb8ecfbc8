"""The snapshots in models/ held against dvc.lock, which says what the trainings made."""

import json
import shutil
from pathlib import Path

from saltseg.config.params import Params
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file
from saltseg.plumbing.layout import Layout
from saltseg.project.dvc_lock import folder_hash, hashes, read_checkout


def check_models(layout: Layout, params: Params) -> None:
    """Raise InputError that names a snapshot whose bytes are not those in dvc.lock.

    DVC trusts its cache, whose files are write-protected, and hashes none of them again. A model
    that dvc.lock does not name, one trained outside of DVC, is taken as it is.
    """
    settings = params.train_per_fold
    locked = _locked(layout.root)
    for member in settings.members:
        for fold in settings.folds:
            folder = layout.model(member, fold)
            known = locked.get(folder.relative_to(layout.root).as_posix())
            if known is not None and folder_hash(folder) != known:
                raise InputError(_damage(layout.root, folder, known))


def remove_strangers(layout: Layout, params: Params) -> list[Path]:
    """Remove models and pseudo-labels of members and folds that the parameters no longer name.

    DVC leaves the outputs of a shrunken matrix where they are, and they would count in the hashes
    of the folders that hold them. Its cache keeps them: growing again brings them back untrained.
    Nothing is removed but what dvc.lock names and still describes. Returns the removed folders.
    """
    settings = params.train_per_fold
    wanted = {layout.model(member, fold) for member in settings.members for fold in settings.folds}
    wanted |= {layout.data("pseudolabel", fold) for fold in settings.folds}
    made = {layout.root / path: digest for path, digest in _locked(layout.root).items()}
    strangers = sorted(
        folder
        for folder, digest in made.items()
        if layout.models == folder.parent.parent
        or (
            layout.data("pseudolabel") == folder.parent
            and folder not in wanted
            and folder.is_dir()
            and folder_hash(folder) == digest
        )
    )
    for folder in strangers:
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()
    return strangers


def _locked(root: Path) -> dict[str, str]:
    return hashes(read_checkout(root), "outs")


def _damage(root: Path, folder: Path, digest: str) -> str:
    """Say which file of a model differs from dvc.lock, and how to get the right one."""
    stage = f"train-per-fold@{folder.parent.name}-{folder.name}"
    anew = f"train it anew with 'dvc repro --force --single-item {stage}'"
    for name, file_digest in _listed(root, digest).items():
        path = folder / name
        if not path.is_file() or hash_file(path) != file_digest:
            cached = f"files/md5/{file_digest[:2]}/{file_digest[2:]}"
            return (
                f"{path}: is not the file that dvc.lock names; remove {cached} from DVC's cache and"
                f" {path}, then run 'dvc pull {stage}', or {anew}"
            )
    return (
        f"{folder}: is not what dvc.lock names; {anew}, or run 'dvc commit {stage}' if you trained"
        " it without DVC"
    )


def _listed(root: Path, digest: str) -> dict[str, str]:
    """Return the hashes of a folder's files by name as DVC's cache lists them; nothing without."""
    from dvc.exceptions import DvcException  # dvc takes a second, and a whole model needs none
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            listed = Path(repo.cache.local.oid_to_path(digest)).read_text(encoding="utf-8")
        return {entry["relpath"]: entry["md5"] for entry in json.loads(listed)}
    except (DvcException, OSError, ValueError):
        return {}
