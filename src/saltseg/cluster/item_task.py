"""An item of the matrix on a node: clean checkout, inputs by hash, `dvc repro`, outputs pushed."""

import os
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from saltseg.cluster.code_shipment import Shipment
from saltseg.cluster.item_outputs import WAITS, read_outputs
from saltseg.cluster.node import Versions, node_facts, node_folder, packed
from saltseg.cluster.shared_folder import SharedFolder
from saltseg.plumbing.errors import InputError, reason_of
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.scratch_folders import scratch_folder
from saltseg.project.dvc_process import ended_with_this, environment_of_checkout, start_dvc
from saltseg.tracking import wait_for_recorders

_TICK = 0.2
"""Seconds between looks at what dvc prints."""

_REPRO = ["repro", "--pull", "--no-run-cache", "--single-item"]


@dataclass(frozen=True)
class ItemJob:
    """What a node needs besides the code."""

    item: str
    lock: bytes | None
    """The content of dvc.lock; None before the first run."""
    variables: Mapping[str, str]
    """Environment variables of its stages."""
    versions: Versions
    states: SharedFolder | None
    """Where checkpoints are kept; None: on the node."""


def run_item(shipment: Shipment, job: ItemJob) -> Iterator[bytes]:
    """Run an item on this node; a generator that Ray runs as a task.

    Yields messages: `began` with facts of the node, `log` with what dvc prints, and at the end
    `done` with what it made, or `failed` with the reason.
    """
    started = time.monotonic()
    try:
        yield packed(kind="began", node=node_facts())
        job.versions.check()
        with scratch_folder("saltseg-item-") as folder:
            project = _checkout(shipment, job, folder)
            yield from _reproduce(project, job, folder / "log")
            made = read_outputs(project, job.item)
        yield packed(kind="done", seconds=time.monotonic() - started, made=made)
    except (InputError, OSError) as error:
        yield packed(kind="failed", reason=reason_of(error))


def _checkout(shipment: Shipment, job: ItemJob, folder: Path) -> Path:
    """Make the item's checkout; its checkpoints lie outside, where the next attempt finds them."""
    project = shipment.unpack(folder / "project")
    shipment.storage.write(project, node_folder() / "cache", folder / "dvc")
    if job.lock is not None:
        (project / "dvc.lock").write_bytes(job.lock)
    states = node_folder() / "states"
    if job.states is not None:
        job.states.check()
        states = job.states.path
    states.mkdir(exist_ok=True)
    link = Layout(project).own_checkpoints
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(states, target_is_directory=True)
    return project


def _reproduce(project: Path, job: ItemJob, log: Path) -> Iterator[bytes]:
    environment = environment_of_checkout(os.environ) | dict(job.variables)
    try:
        code = yield from _dvc(project, [*_REPRO, job.item], environment, log)
        if code != 0:
            raise InputError(f"dvc repro ended with code {code}")
        yield from _push(project, job.item, environment, log)
    finally:
        wait_for_recorders(Layout(project).mlruns)


def _push(project: Path, item: str, environment: Mapping[str, str], log: Path) -> Iterator[bytes]:
    for wait in WAITS:
        time.sleep(wait)
        if (yield from _dvc(project, ["push", item], environment, log)) == 0:
            return
    raise InputError("dvc push failed: the remote cannot be reached")


def _dvc(
    project: Path, arguments: list[str], environment: Mapping[str, str], log: Path
) -> Generator[bytes, None, int]:
    """Run dvc, yield what it prints, and return its exit code."""
    with log.open("wb") as output:
        process = start_dvc(project, arguments, environment, output.fileno())
    with ended_with_this(lambda: [process]), log.open("rb") as said:
        ended = False
        while not ended:
            ended = process.poll() is not None  # asked first, so that the last words are read
            text = said.read().decode("utf-8", "replace")
            if text:
                yield packed(kind="log", text=text)
            elif not ended:
                time.sleep(_TICK)
    return process.returncode
