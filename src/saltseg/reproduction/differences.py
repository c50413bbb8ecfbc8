"""What differs between two runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.repo import Repo

from saltseg.plumbing.errors import InputError
from saltseg.project.dvc_lock import hashes
from saltseg.reproduction.environments import Pairs, differing, differing_values
from saltseg.reproduction.objects import Objects, is_folder
from saltseg.reproduction.records import NO_COMMIT, RunRecord
from saltseg.reproduction.revisions import changed_files, tracked_files

_BOUNDS = ("_low", "_high", "_spread")
"""Suffixes of metrics that give the uncertainty of another metric."""


@dataclass(frozen=True)
class StageDifference:
    """How a stage's entry in dvc.lock differs between two runs; empty if it does not."""

    stage: str
    only_in: str | None = None
    """The only run that has the stage, if one lacks it."""
    command: bool = False
    inputs: tuple[str, ...] = ()
    """Paths of code and data that it reads."""
    params: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.only_in or self.command or self.inputs or self.params or self.outputs)


@dataclass(frozen=True)
class MetricChange:
    """One metric that differs, with its uncertainty on each side."""

    name: str
    values: tuple[float | None, float | None]
    spreads: tuple[str, str]


@dataclass(frozen=True)
class Differences:
    """All differences between the records of two runs."""

    params: Pairs
    code: dict[str, str]
    """What happened to each file from the first run to the second."""
    data: Pairs
    """Hashes of raw data and of the crops made from them; of single files if they are known."""
    environment: Pairs | None
    """None if one of the runs recorded none."""
    stages: list[StageDifference]
    """In the order of dvc.yaml; the runs diverge at the first."""
    metrics: list[MetricChange]


def differences(first: RunRecord, second: RunRecord, root: Path) -> Differences:
    """Compare the records of two runs. root: the checkout whose git and cache are used.

    Raises InputError that names what is missing from a record.
    """
    for record in (first, second):
        missing = [name for name in ("params.yaml", "dvc.lock") if not record.files.get(name)]
        missing += [] if record.commit else [NO_COMMIT]
        if missing:
            raise InputError(f"{record.name}: cannot be compared; missing: {', '.join(missing)}")
    one, other = first.environment, second.environment
    with Repo(str(root)) as repo:
        objects = Objects(repo)
        return Differences(
            params=differing(first.params, second.params),
            code=changed_files(root, (first.commit, first.patch), (second.commit, second.patch)),
            data=_within(_differing_data(first, second, root), objects),
            environment=differing(one, other) if one and other else None,
            stages=_differing_stages(first, second, objects),
            metrics=metric_changes(first.metrics, second.metrics),
        )


def _differing_stages(
    first: RunRecord, second: RunRecord, objects: Objects
) -> list[StageDifference]:
    found = [_stage(name, first, second, objects) for name in {**first.lock, **second.lock}]
    return [each for each in found if each.differs]


def _stage(name: str, first: RunRecord, second: RunRecord, objects: Objects) -> StageDifference:
    one, other = first.lock.get(name), second.lock.get(name)
    if one is None or other is None:
        return StageDifference(name, only_in=(second if one is None else first).name)
    locked = {
        kind: differing_values(hashes({name: one}, kind), hashes({name: other}, kind))
        for kind in ("deps", "outs")
    }
    return StageDifference(
        name,
        command=one["cmd"] != other["cmd"],
        inputs=tuple(_within(locked["deps"], objects)),
        params=tuple(differing(_params(one), _params(other))),
        outputs=tuple(_within(locked["outs"], objects)),
    )


def _params(stage: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stage's parameters, which dvc.lock nests under their file's name."""
    return {key: value for file in stage.get("params", {}).values() for key, value in file.items()}


def _differing_data(first: RunRecord, second: RunRecord, root: Path) -> Pairs:
    """Return the differing hashes of raw data outside git, and of the first stage's outputs."""
    one, other = (_data(record, root) for record in (first, second))
    return differing_values(one, other)


def _data(record: RunRecord, root: Path) -> dict[str, str]:
    made = hashes(record.lock, "outs")
    tracked = tracked_files(root, record.commit, record.patch)
    code = {parent.as_posix() for path in tracked for parent in (Path(path), *Path(path).parents)}
    read = hashes(record.lock, "deps")
    raw = {
        path: digest
        for path, digest in read.items()
        if path not in code and not any(Path(path).is_relative_to(out) for out in made)
    }
    first = next(iter(record.lock))
    return raw | hashes({first: record.lock[first]}, "outs")


def _within(pairs: Pairs, objects: Objects) -> Pairs:
    """Replace folders by their differing files, if both lists of files are known."""
    found: Pairs = {}
    for path, (one, other) in pairs.items():
        lists = [
            objects.files_if_known(each) if each and is_folder(each) else None
            for each in (one, other)
        ]
        if lists[0] is None or lists[1] is None:
            found[path] = (one, other)
        else:
            files = differing_values(lists[0], lists[1])
            found |= {f"{path}/{name}": pair for name, pair in files.items()}
    return found


def metric_changes(first: Mapping[str, float], second: Mapping[str, float]) -> list[MetricChange]:
    """Return the metrics that differ, each with its uncertainty."""
    return [
        MetricChange(
            name, (first.get(name), second.get(name)), (_spread(name, first), _spread(name, second))
        )
        for name in {**first, **second}
        if first.get(name) != second.get(name) and not name.endswith(_BOUNDS)
    ]


def _spread(name: str, metrics: Mapping[str, float]) -> str:
    """Return the interval of a metric and its spread over parts; "" if it has neither."""
    said = []
    for end in ("", "_score", "_after"):  # the last two are older names of the score
        stem = name.removesuffix(end)
        if name.endswith(end) and f"{stem}_low" in metrics:
            said.append(f"{metrics[f'{stem}_low']:.4f} to {metrics[f'{stem}_high']:.4f}")
            break
    parts = metrics.get(f"{name.rpartition('/')[0]}/part_spread")
    if parts is not None and name.endswith(("score_before_cleaning", "nested_score")):
        said.append(f"parts ±{parts:.4f}")
    return ", ".join(said)
