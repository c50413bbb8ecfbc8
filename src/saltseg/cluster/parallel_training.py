"""The items of the matrix stages, teachers and members by fold, trained side by side.

DVC runs one stage after the other. Each item here is a `dvc repro --single-item` of its own, so
that dvc.lock, the cache and every byte are those of a plain `dvc repro`.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import plan_repro
from dvc.stage import Stage

from saltseg.config.params import load_params
from saltseg.config.sections import Runtime
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.machine import cpus
from saltseg.project.dvc_process import Process, ended_with_this, run_dvc, start_dvc
from saltseg.project.git import NO_REPOSITORY, no_repository
from saltseg.tracking.wire import PIPELINE_VARIABLE

_LOCKED = ("Unable to acquire lock", "is busy, it is being blocked by")
"""What DVC says where another process of it holds what this one needs."""

_ATTEMPTS = 5
_TICK = 0.5
"""Seconds between looks at the jobs, and between two starts, each of which takes DVC's lock."""


@dataclass(frozen=True)
class Matrix:
    """The items of the matrix stages, and what has to be reproduced before them."""

    above: list[str]
    """Stages that an item depends on and that are none themselves."""
    items: dict[str, set[str]]
    """The items that each item waits for, by its name, in the pipeline's order."""


@dataclass
class _Job:
    """An item that runs."""

    item: str
    share: int
    process: Process
    started: float


@dataclass
class _Progress:
    """What has become of the items."""

    waiting: dict[str, set[str]]
    attempts: dict[str, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)


def train_in_parallel(root: Path, jobs: int | None) -> None:
    """Reproduce the pipeline below `root`, `jobs` items of the matrix stages at a time.

    jobs: None for one job for each GPU, or as many as the CPUs have threads for.
    Raises InputError that names the failed items and their logs, after the others have ended.
    """
    layout = Layout(root)
    runtime = load_params(layout.params).runtime
    matrix = read_matrix(root)
    shares = divide_machine(runtime, jobs)
    if matrix.above:
        _repro(root, matrix.above)
    progress = _run_items(layout, matrix.items, shares)
    if progress.failed:
        raise InputError(_describe(layout, progress))
    _repro(root, [])


def read_matrix(root: Path) -> Matrix:
    """Read from DVC's graph what the matrix stages are made of."""
    try:
        with Repo(str(root)) as repo:
            graph = repo.index.graph
    except DvcException as error:
        if NO_REPOSITORY in str(error):
            raise InputError(no_repository(root)) from error
        raise InputError(f"{root / 'dvc.yaml'}: {' '.join(str(error).split())}") from error
    order = [_name(stage, root) for stage in plan_repro(graph)]
    needs = {
        _name(stage, root): {_name(each, root) for each in plan_repro(graph, [stage])[:-1]}
        for stage in graph
    }
    items = [name for name in order if "@" in name]
    above = {name for item in items for name in needs[item]} - set(items)
    return Matrix(
        above=[name for name in order if name in above],
        items={item: needs[item] & set(items) for item in items},
    )


def _name(stage: Stage, root: Path) -> str:
    """Name a stage of dvc.yaml, or a .dvc file, as a target of `dvc repro` in `root`."""
    name = getattr(stage, "name", None)
    return str(name or Path(stage.path).relative_to(root.resolve()))


def divide_machine(runtime: Runtime, jobs: int | None) -> list[dict[str, str]]:
    """Return the environment variables that give each job its share of the machine."""
    threads = {"OMP_NUM_THREADS": str(runtime.threads)}
    devices = _gpus() if runtime.accelerator in ("auto", "cuda") else []
    if devices:
        count = jobs or len(devices)
        visible = [devices[number % len(devices)] for number in range(count)]
        return [{**threads, "CUDA_VISIBLE_DEVICES": device} for device in visible]
    at_once = 1 if _on_apple_gpu(runtime.accelerator) else max(cpus() // runtime.threads, 1)
    return [threads] * (jobs or at_once)


def _gpus() -> list[str]:
    """Return the numbers, or names, of the GPUs that this process may use."""
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return visible.split(",")[:count] if visible else [str(number) for number in range(count)]


def _on_apple_gpu(accelerator: str) -> bool:
    """Tell whether trainings share the one GPU of an Apple processor, where CUDA has none."""
    if accelerator != "auto":
        return accelerator == "mps"
    import torch

    return bool(torch.backends.mps.is_available())


def _run_items(
    layout: Layout, items: Mapping[str, set[str]], shares: Sequence[Mapping[str, str]]
) -> _Progress:
    """Run all items, each after those that it needs; those that need a failed one stay waiting."""
    progress = _Progress({item: set(needed) for item, needed in items.items()})
    free = list(range(len(shares)))
    running: list[_Job] = []
    with ended_with_this(lambda: [job.process for job in running]):
        while running or _next_item(progress):
            item = _next_item(progress)
            if item and free:
                del progress.waiting[item]
                running.append(_start(layout, item, free.pop(0), shares))
            time.sleep(_TICK)
            for job in [job for job in running if job.process.poll() is not None]:
                running.remove(job)
                free.append(job.share)
                _finish(layout, job, items[job.item], progress)
    return progress


def _describe(layout: Layout, progress: _Progress) -> str:
    """Put what failed, and what was left out for it, into one line."""
    failed = first_few([f"{item} ({_log(layout, item)})" for item in progress.failed])
    left = f"; {first_few([*progress.waiting])} left out for it" if progress.waiting else ""
    return f"{failed} failed, its log says why{left}; done: {len(progress.done)}"


def _next_item(progress: _Progress) -> str | None:
    """Return an item whose needs are met; none where all wait or a need has failed."""
    ready = (item for item, needed in progress.waiting.items() if needed <= progress.done)
    return next(ready, None)


def _start(layout: Layout, item: str, share: int, shares: Sequence[Mapping[str, str]]) -> _Job:
    arguments = ["--wait-for-lock", "repro", "--single-item", item]
    log = _log(layout, item)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        environment = {**_one_pipeline(), **shares[share]}
        process = start_dvc(layout.root, arguments, environment, output.fileno())
    print(f"{item}: started", flush=True)
    return _Job(item, share, process, time.monotonic())


def _finish(layout: Layout, job: _Job, needed: set[str], progress: _Progress) -> None:
    """Note how a job ended; let one that met DVC's lock wait for another attempt."""
    seconds = f"{time.monotonic() - job.started:.0f} s"
    if job.process.returncode == 0:
        progress.done.add(job.item)
        print(f"{job.item}: done after {seconds}", flush=True)
        return
    said = _log(layout, job.item).read_text(encoding="utf-8", errors="replace")
    attempt = progress.attempts.get(job.item, 1)
    if attempt < _ATTEMPTS and any(message in said for message in _LOCKED):
        progress.attempts[job.item] = attempt + 1
        progress.waiting[job.item] = needed
        return
    progress.failed.append(job.item)
    print(f"{job.item}: failed after {seconds}; see {_log(layout, job.item)}", flush=True)


def _log(layout: Layout, item: str) -> Path:
    return layout.logs / f"{item}.log"


def _repro(root: Path, targets: list[str]) -> None:
    """Reproduce `targets`, or the whole pipeline, in plain sight. Raises InputError."""
    if run_dvc(root, ["repro", *targets], _one_pipeline()) != 0:
        raise InputError(f"dvc repro {' '.join(targets)} failed; its last lines above say why")


def _one_pipeline() -> dict[str, str]:
    """Return the environment by which MLflow shows one run, with all jobs' stages below it."""
    return {**os.environ, PIPELINE_VARIABLE: str(os.getpid())}
