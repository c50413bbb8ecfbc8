"""A clean clone of a run's code in a temporary folder, with all that the run recorded."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dvc.config import Config
from dvc.repo import Repo
from filelock import FileLock

from saltseg.plumbing.files import write_below
from saltseg.plumbing.layout import Layout
from saltseg.project.git import git, object_folder, top_folder
from saltseg.reproduction.patches import STORAGE, check_patch
from saltseg.reproduction.records import RunRecord
from saltseg.tracking import wait_for_recorders

_PREFIX = "saltseg-reproduction-"
_LOCK = ".in-use.lock"


@contextmanager
def workplace(record: RunRecord, root: Path) -> Iterator[Path]:
    """Yield a clone with the code, parameters, locks and results of `record`; remove it at the end.

    It takes git's objects, DVC's cache and DVC's remotes from the checkout `root`, into which it
    writes nothing. Outputs that DVC keeps are not there yet: `dvc checkout` brings them. What runs
    in it is mirrored into the clone's own mlruns, so that MLflow hears of no run twice.

    Raises InputError where git cannot restore the code, and where the record would write through
    a link or out of the clone.
    """
    root = root.resolve()
    if record.patch:
        check_patch(root, record.commit, record.patch)
    with _scratch_folder() as folder:
        clone = folder / "project"
        _check_out(record, root, clone)
        project = clone / top_folder(root)[1]
        for name, content in record.files.items():
            write_below(project, name, content)
        _share_storage(root, project, folder / "dvc")
        try:
            yield project
        finally:
            wait_for_recorders(Layout(project).mlruns)


def _check_out(record: RunRecord, root: Path, clone: Path) -> None:
    """Make a repository of the record's code that borrows git's objects from that of `root`.

    `git clone` refuses to borrow from a shallow repository, and knows no commit that no branch
    holds in one; this takes both, and submodules and linked worktrees.
    """
    form = git(root, "rev-parse", "--show-object-format").decode().strip()
    git(root, "init", "--quiet", "--template=", f"--object-format={form}", str(clone))
    own = clone / ".git"
    (own / "objects/info").mkdir(exist_ok=True)
    objects = object_folder(root)
    (own / "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    shallow = objects.parent / "shallow"  # where history ends, which git takes for damage otherwise
    if shallow.exists():
        shutil.copy2(shallow, own / "shallow")
    git(clone, "checkout", "--quiet", "--detach", record.commit)
    if record.patch:
        options = ["--binary", "--whitespace=nowarn", f"--exclude={STORAGE}"]
        git(clone, "apply", *options, "-", stdin=record.patch)


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """Yield a new folder for a clone; remove it at the end, and before those of killed processes.

    A folder is in use while its lock is held, which the system releases with its process.
    """
    _sweep(Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder,
        FileLock(Path(folder, _LOCK)),
    ):
        yield Path(folder).resolve()


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        lock = folder / _LOCK
        # Whoever is at work there, or may not be asked, keeps his folder.
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not lock.is_file():
                continue
            with FileLock(lock, timeout=0):
                for each in folder.iterdir():
                    if each != lock:
                        shutil.rmtree(each)
            shutil.rmtree(folder)


def _share_storage(root: Path, clone: Path, site_cache: Path) -> None:
    """Let DVC in `clone` use the cache and the remotes of `root`; `site_cache`: for its notes."""
    with Repo(str(root)) as repo, Config(str(clone / ".dvc"), validate=False).edit("local") as to:
        cache = {key: repo.config["cache"].get(key) for key in ("type", "shared")}
        to["cache"] = {key: value for key, value in cache.items() if value}
        # A path from a config file may be relative to that file; by now it is absolute.
        to["cache"]["dir"] = str(repo.cache.local_cache_dir)
        to["remote"] = {
            name: {key: str(value) if key == "url" else value for key, value in remote.items()}
            for name, remote in repo.config["remote"].items()
        }
        to["core"] = {"site_cache_dir": str(site_cache)}
        if "remote" in repo.config["core"]:
            to["core"]["remote"] = repo.config["core"]["remote"]
