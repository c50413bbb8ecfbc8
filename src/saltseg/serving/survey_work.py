"""The folder of a prediction that is not finished: whose it is, and what is done of it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import AcquireReturnProxy, FileLock, Timeout

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import hash_file, read_json, write_json
from saltseg.plumbing.outputs import check_outputs, place_folder, unwritable
from saltseg.seismic.bucket import BucketPath
from saltseg.seismic.store import PREDICTION

WORK, LOCK, IDENTITY = ".saltseg-survey", ".saltseg-survey.lock", "prediction.json"


@dataclass(frozen=True)
class Work:
    """Where a prediction is made, and where it belongs."""

    out: Path

    @property
    def folder(self) -> Path:
        """The folder of what is not finished."""
        return self.out / WORK

    def finish(self) -> Path:
        """Put the store in its place, in one step, and remove the rest."""
        place_folder(self.folder / PREDICTION, self.out / PREDICTION)
        shutil.rmtree(self.folder)
        return self.out / PREDICTION


@contextmanager
def begun_work(out: Path, survey: Path, identity: Mapping[str, Any], force: bool) -> Iterator[Work]:
    """Yield the work in `out`, started or resumed, while no other process has it.

    identity: JSON values of all that decides what is predicted. force: replace an earlier
    prediction, finished or not. Raises InputError where `out` cannot be written to, where another
    process predicts into it, and where an earlier prediction is there that is finished or of
    another identity.
    """
    with _locked(out):
        work = Work(out)
        _check(work, survey, identity, force)
        with _kept_if_begun(work):
            yield work


def _locked(out: Path) -> AcquireReturnProxy:
    """Make the folder, and return its lock, taken."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        return FileLock(out / LOCK).acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"{out}: another process predicts into it; wait for it, or give another folder"
        ) from error
    except OSError as error:
        raise unwritable(out, error) from error


@contextmanager
def _kept_if_begun(work: Work) -> Iterator[None]:
    """Leave no work behind where wrong input ends it before a section is done."""
    try:
        yield
    except InputError:
        if not any(work.folder.glob("*/*.npy")):
            shutil.rmtree(work.folder, ignore_errors=True)
        raise


def _check(work: Work, survey: Path, identity: Mapping[str, Any], force: bool) -> None:
    path = work.folder / IDENTITY
    unfinished = path.exists()
    if unfinished:
        known = read_json(path)
        wanted = json.loads(json.dumps(identity))
        names = [name for name in wanted | known if wanted.get(name) != known.get(name)]
        if names and not force:
            raise InputError(
                f"{work.folder}: holds an unfinished prediction with another {first_few(names)};"
                " finish it with the same, give another folder, or start over with --force"
            )
        unfinished = not names
    check_outputs(work.out, [PREDICTION], [survey], force or unfinished)
    if not unfinished:
        shutil.rmtree(work.folder, ignore_errors=True)
        write_json(path, identity)


def file_identity(path: Path) -> dict[str, object]:
    """Return what tells a survey's file from another: name, size and time; of a store, its root."""
    if isinstance(path, BucketPath):
        return path.identity()
    file = path / "zarr.json" if path.is_dir() else path
    try:
        found = file.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; name a survey") from error
    return {"file": str(path.resolve()), "size": found.st_size, "time": found.st_mtime_ns}


def model_identity(folder: Path) -> dict[str, str]:
    """Return the hash of each file that makes a model's prediction."""
    files = [folder / "params.yaml", folder / "model.json", *folder.glob("models/**/*.safetensors")]
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in sorted(files)}
