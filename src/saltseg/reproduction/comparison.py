"""Comparing a reproduced run with its record, hash by hash and metric by metric."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saltseg.project import dvc_lock
from saltseg.project.run_files import files_of_folder, results_in
from saltseg.reproduction.environments import Pairs, differing_here
from saltseg.reproduction.objects import Objects, is_folder
from saltseg.reproduction.records import RunRecord


@dataclass(frozen=True)
class ComparedOutput:
    """One output of a stage that ran again."""

    stage: str
    path: str
    recorded: str | None
    new: str | None
    files: tuple[str, ...] = ()
    """The files that differ in a differing folder, if they are known."""

    @property
    def same(self) -> bool:
        """Tell whether both are equal byte for byte."""
        return self.recorded == self.new


@dataclass(frozen=True)
class ComparedMetric:
    """One number of the record and of the new run."""

    name: str
    recorded: float | None
    new: float | None

    def within(self, tolerance: float) -> bool:
        """Tell whether both exist and differ by at most `tolerance`.

        It is relative to the larger of the two, and absolute for numbers below one.
        """
        if self.recorded is None or self.new is None:
            return False
        largest = max(1.0, abs(self.recorded), abs(self.new))
        return abs(self.recorded - self.new) <= tolerance * largest


@dataclass(frozen=True)
class Comparison:
    """All outputs of the stages that ran again, and all metrics."""

    outputs: list[ComparedOutput]
    metrics: list[ComparedMetric]
    environment: Pairs | None
    """How this environment differs from the recorded one; None if none was recorded."""

    @property
    def same(self) -> bool:
        """Tell whether all hashes and metrics equal those of the record."""
        return all(each.same for each in self.outputs) and self.within(0.0)

    def within(self, tolerance: float) -> bool:
        """Tell whether all metrics are within the tolerance."""
        return all(each.within(tolerance) for each in self.metrics)

    def passes(self, tolerance: float) -> bool:
        """Tell whether the run is reproduced.

        Every byte must be the same, unless the environment is known to differ: then the metrics
        must be within the tolerance.
        """
        return self.same or (bool(self.environment) and self.within(tolerance))


def compare(
    record: RunRecord, clone: Path, lock: Mapping[str, Any], ran: Iterable[str], objects: Objects
) -> Comparison:
    """Compare the run in `clone` with the record.

    lock: the stages of the new dvc.lock. ran: the names of the stages to compare, in order.
    objects: where to look up the files of recorded folders.
    """
    new = record.pipeline.metrics(results_in(files_of_folder(clone)))
    names = {**record.metrics, **new}
    return Comparison(
        [
            _output(stage, path, hashes, clone, objects)
            for stage in ran
            for path, hashes in _hashes(record.lock, lock, stage).items()
        ],
        [ComparedMetric(name, record.metrics.get(name), new.get(name)) for name in names],
        differing_here(record),
    )


def _hashes(recorded: Mapping[str, Any], new: Mapping[str, Any], stage: str) -> Pairs:
    """Return the recorded and the new hash of each output of a stage, by path."""
    first, second = (
        dvc_lock.hashes({stage: lock.get(stage, {})}, "outs") for lock in (recorded, new)
    )
    return {path: (first.get(path), second.get(path)) for path in {**first, **second}}


def _output(
    stage: str, path: str, hashes: tuple[str | None, str | None], clone: Path, objects: Objects
) -> ComparedOutput:
    recorded, new = hashes
    files: tuple[str, ...] = ()
    if recorded and new and recorded != new and is_folder(recorded):
        files = _differing_files(objects.files_if_known(recorded), clone / path)
    return ComparedOutput(stage, path, recorded, new, files)


def _differing_files(recorded: dict[str, str] | None, folder: Path) -> tuple[str, ...]:
    if recorded is None:
        return ()
    new = dvc_lock.folder_files(folder)
    names = sorted(recorded.keys() | new.keys())
    return tuple(name for name in names if recorded.get(name) != new.get(name))
