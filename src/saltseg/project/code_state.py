"""What a run is remembered with: the code's state and the machine."""

import hashlib
import os
import platform
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file
from saltseg.plumbing.machine import cpu_model
from saltseg.project.git import PATCH, git, scratch_index

_CODE = [".", ":(exclude)dvc.lock", ":(exclude)results", ":(exclude).dvc/tmp"]
"""What counts as changed code: all but what the pipeline, and dvc beside it, write."""

SYNCED = "dvc.synced"
"""The tag of a run that `saltseg sync` made: nobody knows on which machine its stages ran."""

_FOLDERS = ("data", "mlruns", "models", "results", "tmp")
"""What may be a link to another disk; such a link is no code."""

UNKNOWN = "unknown"
"""What the tags git.dirty and mlflow.source.git.commit say where git could not be asked."""

_LARGEST_NEW_FILE = 5_000_000
"""Bytes up to which a file that git does not know goes into the patch."""

_COMMITTING = 20.0
"""Seconds that dvc may take to make and collect an experiment's commit after its last stage."""


@dataclass(frozen=True)
class Patch:
    """The difference between a checkout and its commit."""

    text: bytes
    """In git's binary form; empty where the tree is clean."""
    omitted: list[str] = field(default_factory=list)
    """Files that git does not know and that are too large."""
    unknown: bool = False
    """Git could not be asked."""

    def tags(self) -> dict[str, str]:
        """Return what a run's tags say of it."""
        if self.unknown:
            return {"patch": UNKNOWN}
        if not self.text and not self.omitted:
            return {}
        digest = "sha256:" + hashlib.sha256(self.text).hexdigest()
        omitted = {"patch.omitted": " ".join(self.omitted)[:5000]} if self.omitted else {}
        return {"patch": digest, **omitted}


def run_tags(root: Path) -> dict[str, str]:
    """Return the tags that every run has: experiment, commit, machine, versions."""
    commit, changed = code_state(root)
    tags = {
        "host": socket.gethostname(),
        "cpu": cpu_model(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "git.dirty": UNKNOWN if changed is None else str(bool(changed)).lower(),
        "git.changed": (changed or "")[:5000],
        "mlflow.source.git.commit": commit,
        "dvc.experiment": os.environ.get("DVC_EXP_NAME", ""),
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV", ""),
    }
    lock = root / "requirements.lock"
    if lock.exists():
        tags["requirements.lock"] = hash_file(lock)
    return {key: value for key, value in tags.items() if value}


def code_state(root: Path) -> tuple[str, str | None]:
    """Return the commit of the code, and what differs from it, a line for each file.

    UNKNOWN and None where git cannot tell: no repository, no commit, or another user's folder.
    """
    try:
        with scratch_index(root) as index:
            git(root, "read-tree", "HEAD", environment=index)
            options = ["--porcelain", "--untracked-files=all", "--no-renames"]
            changed = git(root, "status", *options, "--", *_code(root), environment=index)
            commit = git(root, "rev-parse", "HEAD")
    except InputError:
        return UNKNOWN, None
    return commit.decode().strip(), changed.decode(errors="replace")


def code_patch(root: Path) -> Patch:
    """Return the difference between the last commit and the files that git does not ignore.

    New files are in it, up to 5 MB each. The repository and its own index stay as they are.
    """
    try:
        return _code_patch(root)
    except InputError:
        return Patch(b"", unknown=True)


def _code_patch(root: Path) -> Patch:
    listed = git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *_code(root))
    large = [
        name
        for name in map(os.fsdecode, listed.split(b"\0"))
        if name and (root / name).is_file() and (root / name).stat().st_size > _LARGEST_NEW_FILE
    ]
    with scratch_index(root) as index:
        kept = [*_code(root), *(f":(exclude,literal){name}" for name in large)]
        git(root, "read-tree", "HEAD", environment=index)
        # `git add` would refuse where an excluded path, such as .dvc/tmp, is ignored as well.
        states = ["--others", "--modified", "--deleted", "--exclude-standard"]
        names = git(root, "ls-files", "-z", *states, "--", *kept, environment=index)
        options = ["-z", "--add", "--remove", "--replace", "--stdin"]
        git(root, "update-index", *options, stdin=names, environment=index)
        text = git(root, *PATCH, "--cached", "HEAD", "--", *kept, environment=index)
    return Patch(text, large)


def _code(root: Path) -> list[str]:
    """Return the paths of the code for git, without folders that lie on another disk."""
    return [*_CODE, *(f":(exclude){name}" for name in _FOLDERS if (root / name).is_symlink())]


def commit_patch(repository: Path, baseline: str, revision: str) -> Patch:
    """Return the difference between two commits, in the form in which `code_patch` has it.

    Raises InputError where git cannot tell it.
    """
    return Patch(git(repository, *PATCH, baseline, revision, "--", *_CODE))


def experiment_revision(repository: Path, since: float, patient: bool) -> str:
    """Return the commit that dvc has made of the running experiment; nothing outside of one.

    since: seconds since 1970; an experiment of an earlier run may have had the same name.
    patient: wait for it, for dvc makes it after the last stage, and collects it from a temporary
    copy later still.
    """
    name, baseline = (os.environ.get(f"DVC_EXP_{each}", "") for each in ("NAME", "BASELINE_REV"))
    until = time.monotonic() + (_COMMITTING if patient and name else 0)
    reference = f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}"
    while name:
        found = _git_text(repository, "log", "-1", "--format=%H %ct", reference, "--").split()
        if found and int(found[1]) >= int(since):
            return found[0]
        if time.monotonic() > until:
            break
        time.sleep(0.25)
    return ""


def pipeline_name(root: Path) -> str:
    """Return a name for a run of the pipeline: the experiment's, or branch, commit and time."""
    branch = _git_text(root, "rev-parse", "--abbrev-ref", "HEAD").strip()
    commit = _git_text(root, "rev-parse", "--short", "HEAD").strip()
    made = " ".join([*filter(None, (branch, commit)), datetime.now().strftime("%Y-%m-%d %H:%M:%S")])
    return os.environ.get("DVC_EXP_NAME") or made.strip()


def _git_text(root: Path, *arguments: str) -> str:
    """Return what git says; nothing where it fails: a pipeline may run without a repository."""
    with suppress(InputError):
        return git(root, *arguments).decode(errors="replace")
    return ""
