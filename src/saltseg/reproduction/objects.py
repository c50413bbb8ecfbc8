"""DVC's objects by hash, in a checkout's cache and its default remote."""

import json
from enum import Enum
from functools import cached_property
from pathlib import Path

from dvc.config import NoRemoteError
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.db import HashFileDB

from saltseg.plumbing.errors import InputError, reason_of
from saltseg.plumbing.files import hash_file

_FOLDER = ".dir"
"""Suffix of a folder's hash; its object is a JSON list of the files' paths and hashes."""


class State(Enum):
    """Where a complete object is, or what is wrong with it."""

    CACHED = "in the cache"
    REMOTE = "in the remote only"
    MISSING = "neither in the cache nor in a remote"
    DAMAGED = "in the cache, but its bytes do not match its hash"
    DAMAGED_REMOTE = "in the remote only, and its bytes do not match its hash"


class Objects:
    """The objects that a checkout can reach. Local ones are hashed again."""

    def __init__(self, repo: Repo) -> None:
        """Use the cache of `repo`, and its default remote if it has one."""
        self.repo = repo
        self.cache: HashFileDB = repo.cache.local
        self.known: dict[str, State] = {}

    @cached_property
    def remote(self) -> HashFileDB | None:
        """The default remote, opened when the cache first lacks something.

        Raises InputError if it cannot be opened.
        """
        try:
            return self.repo.cloud.get_remote_odb(command="fetch")
        except NoRemoteError:
            return None
        except (DvcException, ImportError) as error:
            raise InputError(
                f"DVC's remote cannot be opened ({reason_of(error)}); correct it with 'dvc remote',"
                " or install what it needs"
            ) from error

    def state(self, digest: str) -> State:
        """Look up the object of an MD5, which ends in ".dir" for a folder."""
        if digest not in self.known:
            self.known[digest] = self._look(digest)
        return self.known[digest]

    def files(self, digest: str) -> dict[str, str] | None:
        """Return the hashes of a folder's files by relative path; None without a complete list."""
        state = self.state(digest)
        if state is State.CACHED:
            listed = Path(self.cache.oid_to_path(digest)).read_bytes()
        elif state is State.REMOTE and self.remote is not None:
            listed = _read(self.remote, digest)
        else:
            return None
        return {entry["relpath"]: entry["md5"] for entry in json.loads(listed)}

    def files_if_known(self, digest: str) -> dict[str, str] | None:
        """Do the same; None too if the remote cannot be asked, which must not end a comparison."""
        try:
            return self.files(digest)
        except InputError:
            return None

    def cached(self, digest: str) -> bool:
        """Tell whether an object, with all its files if it is a folder, is in the cache."""
        within = (self.files(digest) or {}).values() if is_folder(digest) else ()
        return all(self.state(each) is State.CACHED for each in (digest, *within))

    def _look(self, digest: str) -> State:
        cached = Path(self.cache.oid_to_path(digest))
        if cached.is_file():
            return State.CACHED if _matches(cached, digest) else State.DAMAGED
        if self.remote is None or not _holds(self.remote, digest):
            return State.MISSING
        if self.remote.fs.protocol != "local":
            return State.REMOTE
        there = Path(self.remote.oid_to_path(digest))
        return State.REMOTE if _matches(there, digest) else State.DAMAGED_REMOTE


def is_folder(digest: str) -> bool:
    """Tell whether a hash is a folder's."""
    return digest.endswith(_FOLDER)


def _matches(path: Path, digest: str) -> bool:
    return hash_file(path) == digest.removesuffix(_FOLDER)


def _holds(remote: HashFileDB, digest: str) -> bool:
    """Ask a remote for an object. Raises InputError if it cannot be asked.

    Not fsspec's `exists`, which takes whatever goes wrong for an answer.
    """
    path = remote.oid_to_path(digest)
    try:
        remote.fs.info(path)
    except Exception as error:  # each kind of remote has its own
        if _tells_absence(error):
            return False
        raise _unasked(path, error) from error
    return True


def _read(remote: HashFileDB, digest: str) -> bytes:
    path = remote.oid_to_path(digest)
    try:
        content: bytes = remote.fs.cat_file(path)
    except Exception as error:  # each kind of remote has its own
        raise _unasked(path, error) from error
    return content


def _unasked(path: str, error: Exception) -> InputError:
    return InputError(
        f"DVC's remote cannot be asked for {path} ({reason_of(error)}); see whether 'dvc remote"
        " list' names the right one, and your connection and credentials"
    )


def _tells_absence(error: BaseException) -> bool:
    """Tell whether a remote answered that it has no such file; HTTP puts any cause into that."""
    cause = error.__cause__
    known = (
        cause is None or isinstance(cause, FileNotFoundError) or getattr(cause, "status", 0) == 404
    )
    return isinstance(error, FileNotFoundError) and known
