"""Checkpoints of trainings, under a name that holds all that determines the result."""

import hashlib
import io
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock, Timeout

from saltseg.models.snapshots import Weights
from saltseg.plumbing.files import whole_file
from saltseg.plumbing.machine import cpu_model
from saltseg.plumbing.modules import determining_modules

_SHARE = 0.01
"""Part of the time that saving may take."""

_KEPT_DAYS = 30
"""Days after which a checkpoint that nobody asked for is removed."""

_LIBRARIES = (
    "albumentations",
    "lightning-fabric",
    "numpy",
    "opencv-python-headless",
    "segmentation-models-pytorch",
    "timm",
    "torch",
)
"""What the arithmetic of a training goes through."""


def checkpoint_key(texts: Iterable[str], arrays: Iterable[npt.NDArray[Any]], script: Path) -> str:
    """Return a hash of texts (parameters, seeds), arrays (crops, weights), code and machine.

    script: the module that trains; the code is what it imports of this package, and no more, so
    that an edit elsewhere does not throw a half-done training away.
    """
    digest = hashlib.sha256()
    code = (path.read_text(encoding="utf-8") for path in determining_modules(script))
    for text in (*texts, *_machine(), *code):
        digest.update(text.encode() + b"\0")
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


def _machine() -> list[str]:
    """Name what a sum's order depends on: libraries, processor, threads."""
    capability = torch.backends.cpu.get_cpu_capability()
    threads = str(torch.get_num_threads())
    return [*map(version, _LIBRARIES), torch.__version__, cpu_model(), capability, threads]


class Checkpoint:
    """What one training goes on from: a folder that only it and `drop_checkpoint` touch.

    Kept weights are numbered by their epoch and have files of their own: they never change, and
    are written once.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        """Keep it in `folder`, and let at least `seconds` pass from save to save."""
        self.folder = folder
        self._seconds = seconds
        self._cost = 0.0
        self._saved = time.monotonic()
        self._snapshots: set[int] = set()

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Wait until no other process works on the same training, and keep others waiting."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(self.folder)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            print(
                f"saltseg: another process does the same training; waiting for {lock.lock_file}",
                file=sys.stderr,
                flush=True,
            )
            lock.acquire()
        try:
            _remove_old(self.folder.parent, self.folder.name)
            yield
        finally:
            lock.release()

    def due(self) -> bool:
        """Tell whether it is time to save: not so often that it takes more than 1 % of the time."""
        waited = time.monotonic() - self._saved
        return not self._seconds or waited >= max(self._seconds, self._cost / _SHARE)

    def save(self, content: dict[str, Any], snapshots: Mapping[int, Weights]) -> None:
        """Write `content` whole, in place of what was saved before, and the new snapshots.

        Snapshots that are kept no longer are removed last: until then, the checkpoint before this
        one is whole.
        """
        started = time.monotonic()
        for number in snapshots.keys() - self._snapshots:
            _write(self._snapshot(number), snapshots[number])
        _write(self._progress, {**content, "snapshots": [*snapshots]})
        for number in self._snapshots - snapshots.keys():
            self._snapshot(number).unlink(missing_ok=True)
        self._snapshots = {*snapshots}
        self._saved = time.monotonic()
        self._cost = self._saved - started

    def load(self) -> tuple[dict[str, Any], dict[int, Weights]] | None:
        """Read what was saved; None where nothing was, or where it is damaged and set aside."""
        if not self._progress.exists():
            return None
        try:
            content = _read(self._progress)
            snapshots = {number: _read(self._snapshot(number)) for number in content["snapshots"]}
        except (_DamagedError, FileNotFoundError) as error:
            self._set_aside(error)
            return None
        self._snapshots = {*snapshots}
        return content, snapshots

    @property
    def _progress(self) -> Path:
        return self.folder / "progress.checkpoint"

    def _snapshot(self, number: int) -> Path:
        return self.folder / f"snapshot_{number}.checkpoint"

    def _set_aside(self, error: Exception) -> None:
        aside = self.folder.with_suffix(".damaged")
        shutil.rmtree(aside, ignore_errors=True)
        self.folder.replace(aside)
        print(f"saltseg: {aside}: a damaged checkpoint is set aside ({error})", file=sys.stderr)


def drop_checkpoint(folder: Path) -> None:
    """Remove the checkpoint of a training that is done."""
    lock = _lock(folder)
    with lock:
        shutil.rmtree(folder, ignore_errors=True)
        # A process that waits for this file finds it gone, and locks a new one.
        Path(lock.lock_file).unlink(missing_ok=True)


class _DamagedError(Exception):
    """A checkpoint's file isn't what was written."""


def _lock(folder: Path) -> FileLock:
    return FileLock(folder.with_suffix(".lock"))


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write `content` behind its hash: torch alone would not see a changed byte."""
    file = io.BytesIO()
    torch.save(content, file)
    with whole_file(path) as temporary, temporary.open("wb") as target:
        target.write(hashlib.sha256(file.getbuffer()).digest())
        target.write(file.getbuffer())


def _read(path: Path) -> dict[str, Any]:
    held = memoryview(path.read_bytes())
    digest, content = held[:32], held[32:]
    if hashlib.sha256(content).digest() != digest:
        raise _DamagedError(f"{path.name} isn't what was written")
    loaded: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return loaded


def _remove_old(checkpoints: Path, wanted: str) -> None:
    """Remove the checkpoints of abandoned trainings, except the `wanted` one."""
    oldest = time.time() - _KEPT_DAYS * 24 * 3600
    for path in checkpoints.iterdir():
        with suppress(FileNotFoundError):  # another training may be at it, too
            if path.stem != wanted and path.stat().st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
