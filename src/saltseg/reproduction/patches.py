"""What a recorded patch may change: files of the clone, and nothing beyond it."""

import posixpath
from pathlib import Path, PurePosixPath

from saltseg.plumbing.errors import InputError
from saltseg.project.git import git
from saltseg.reproduction.revisions import patched_tree

STORAGE = ".dvc/config"
"""Says where DVC keeps its data. A clone takes that from the checkout, not from a patch."""

_LINK, _SUBMODULE = b"120000", b"160000"
_OWN = {".dvc/.gitignore", STORAGE}
"""What git keeps in DVC's folder; the rest there belongs to the machine."""


def check_patch(root: Path, commit: str, patch: bytes) -> None:
    """Raise InputError that names what in a patch upon `commit` would reach out of a clone.

    Nothing is written into the repository `root`. Refused are links that lead out of the clone or
    into .git and .dvc, submodules, and files inside of .git and .dvc but for DVC's own settings.
    git itself refuses absolute paths, "..", and paths beyond a link.
    """
    with patched_tree(root, commit, patch) as (tree, environment):
        raw = ["diff-tree", "-r", "-z", "--raw", "--no-renames", commit, tree]
        fields = git(root, *raw, environment=environment).split(b"\0")
        for described, name in zip(fields[::2], fields[1::2], strict=False):
            _, mode, _, digest, _ = described.split(b" ")
            path = name.decode(errors="replace")
            if mode == _LINK:
                target = git(root, "cat-file", "blob", digest.decode(), environment=environment)
                _check_link(path, target.decode(errors="replace"))
            elif mode == _SUBMODULE:
                _refuse(path, "is a submodule")
            elif _is_internal(path) and path not in _OWN:
                _refuse(path, "belongs to git or DVC")


def _check_link(path: str, target: str) -> None:
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if place.startswith(("/", "../")) or place == ".." or _is_internal(place):
        _refuse(path, f"is a link to {target}, out of the project")
    if _is_internal(path):
        _refuse(path, "is a link in the folder of git or DVC")


def _is_internal(path: str) -> bool:
    return PurePosixPath(path).parts[:1] in ((".git",), (".dvc",))


def _refuse(path: str, reason: str) -> None:
    raise InputError(
        f"record/changes.patch: {path}: {reason}; nothing was written. Do not trust this run"
    )
