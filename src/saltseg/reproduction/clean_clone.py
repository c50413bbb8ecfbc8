"""A clean clone of a run's code in a temporary folder, with the files that the run recorded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.config import Config
from dvc.repo import Repo

from saltseg.plumbing.files import write_below
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.scratch_folders import scratch_folder
from saltseg.project.git import git, object_folder, top_folder
from saltseg.reproduction.patches import STORAGE, check_patch
from saltseg.reproduction.records import RunRecord
from saltseg.tracking import wait_for_recorders

_PREFIX = "saltseg-reproduction-"

_PATIENCE = 600.0
"""Seconds to wait for the record in MLflow: a recorder whose store fails goes on for minutes."""


@contextmanager
def clean_clone(record: RunRecord, root: Path) -> Iterator[Path]:
    """Yield a clone with the code, parameters, locks and results of `record`; remove it at the end.

    It uses git's objects, DVC's cache and DVC's remotes of the checkout `root`, and writes nothing
    there. It has no DVC outputs yet: `dvc checkout` brings them. Stages that run in it report to
    the clone's own mlruns, so no run appears in MLflow twice.

    Raises InputError if git cannot restore the code, and if the record would write through a link
    or outside the clone.
    """
    root = root.resolve()
    if record.patch:
        check_patch(root, record.commit, record.patch)
    with scratch_folder(_PREFIX) as folder:
        clone = folder / "project"
        borrow_code(root, clone, record.commit, record.patch)
        project = clone / top_folder(root)[1]
        for name, content in record.files.items():
            write_below(project, name, content)
        share_storage(root, project, folder / "dvc")
        try:
            yield project
        finally:
            wait_for_recorders(Layout(project).mlruns, _PATIENCE)


def borrow_code(root: Path, clone: Path, commit: str, patch: bytes) -> None:
    """Make a repository of a commit with a patch that borrows git's objects from `root`.

    `git clone` cannot borrow from a shallow repository, and does not find commits that are on no
    branch; this handles both, and submodules and linked worktrees.
    """
    form = git(root, "rev-parse", "--show-object-format").decode().strip()
    git(root, "init", "--quiet", "--template=", f"--object-format={form}", str(clone))
    own = clone / ".git"
    (own / "objects/info").mkdir(exist_ok=True)
    objects = object_folder(root)
    (own / "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    shallow = objects.parent / "shallow"  # else git takes the end of history for damage
    if shallow.exists():
        shutil.copy2(shallow, own / "shallow")
    restore_code(clone, commit, patch)


def restore_code(clone: Path, commit: str, patch: bytes) -> None:
    """Check out `commit` in a new repository that holds it, and apply a patch, b"" for none."""
    git(clone, "checkout", "--quiet", "--detach", commit)
    if patch:
        options = ["--binary", "--whitespace=nowarn", f"--exclude={STORAGE}"]
        git(clone, "apply", *options, "-", stdin=patch)


def share_storage(root: Path, clone: Path, site_cache: Path) -> None:
    """Let DVC in `clone` use cache and remotes of `root`; site_cache: DVC's internal folder."""
    with Repo(str(root)) as repo:
        storage = Storage.of(repo)
        storage.write(clone, repo.cache.local_cache_dir, site_cache)


@dataclass(frozen=True)
class Storage:
    """What a checkout's configuration says of DVC's cache and remotes, its location excepted."""

    cache: dict[str, Any]
    remotes: dict[str, dict[str, Any]]
    default: str | None
    """Name of the default remote."""

    @classmethod
    def of(cls, repo: Repo) -> "Storage":
        """Read it from a repository of DVC."""
        cache = {key: repo.config["cache"].get(key) for key in ("type", "shared")}
        remotes = {
            # A path in a config file may be relative to it; DVC has made it absolute.
            name: {key: str(value) if key == "url" else value for key, value in remote.items()}
            for name, remote in repo.config["remote"].items()
        }
        kept = {key: value for key, value in cache.items() if value}
        return cls(kept, remotes, repo.config["core"].get("remote"))

    def write(self, clone: Path, cache: str | Path, site_cache: Path) -> None:
        """Let DVC in `clone` use it, with the folder `cache`; site_cache: DVC's internal folder."""
        with Config(str(clone / ".dvc"), validate=False).edit("local") as to:
            to["cache"] = self.cache | {"dir": str(cache)}
            to["remote"] = self.remotes
            to["core"] = {"site_cache_dir": str(site_cache)}
            if self.default is not None:
                to["core"]["remote"] = self.default
