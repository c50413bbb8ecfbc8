"""Training the items of the matrix stages, teachers and members by fold, in parallel.

DVC runs one stage after the other. Here each item is a separate `dvc repro --single-item`, so
dvc.lock, the cache and every byte are those of a plain `dvc repro`.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from saltseg.cluster.gpu_sharing import Gpu, share_gpus
from saltseg.cluster.matrix import one_pipeline, read_matrix, reproduce_stages
from saltseg.cluster.progress import Progress
from saltseg.config.params import Params, load_params
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.machine import cpus
from saltseg.project.dvc_process import Process, ended_with_this, start_dvc

_LOCKED = ("Unable to acquire lock", "is busy, it is being blocked by")
"""What DVC prints if another DVC process holds a lock it needs."""

_ATTEMPTS = 5
_TICK = 0.5
"""Seconds between checks of the jobs, and between starts, because each start takes DVC's lock."""


@dataclass
class _Job:
    """A running item."""

    item: str
    share: int
    process: Process
    started: float


def train_in_parallel(root: Path, jobs: int | None) -> None:
    """Reproduce the pipeline below `root`, `jobs` items of the matrix stages at a time.

    jobs: None for as many as the GPUs have memory for, or the CPUs threads.
    Raises InputError that names failed items and their logs, after the others have ended.
    """
    layout = Layout(root)
    params = load_params(layout.params)
    matrix = read_matrix(root)
    shares = divide_machine(params, jobs)
    if matrix.above:
        reproduce_stages(root, matrix.above)
    _run_items(layout, matrix.items, shares).check(layout)
    reproduce_stages(root, [])


def divide_machine(params: Params, jobs: int | None) -> list[dict[str, str]]:
    """Return environment variables that give each job its share of the machine."""
    runtime = params.runtime
    threads = {"OMP_NUM_THREADS": str(runtime.threads)}
    gpus = _gpus() if runtime.accelerator in ("auto", "cuda") else []
    if gpus:
        shares = share_gpus(gpus, 0 if jobs else _needed(params), cpus(), jobs)
        return [{**threads, **share} for share in shares]
    at_once = 1 if _on_apple_gpu(runtime.accelerator) else max(cpus() // runtime.threads, 1)
    return [threads] * (jobs or at_once)


def _needed(params: Params) -> int:
    """Return the bytes of GPU memory that the largest of the trainings needs."""
    from saltseg.learning.memory import training_memory

    return training_memory(params.used_models.values(), params.training.batch_size)


def _gpus() -> list[Gpu]:
    """Return the GPUs that this process may use."""
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    names = visible.split(",")[:count] if visible else [str(number) for number in range(count)]
    return [Gpu(name, *torch.cuda.mem_get_info(number)) for number, name in enumerate(names)]


def _on_apple_gpu(accelerator: str) -> bool:
    """Tell whether trainings share the single GPU of an Apple processor."""
    if accelerator != "auto":
        return accelerator == "mps"
    from saltseg.models.devices import has_accelerator  # imports torch, which takes seconds

    return has_accelerator("mps")


def _run_items(
    layout: Layout, items: Mapping[str, set[str]], shares: Sequence[Mapping[str, str]]
) -> Progress:
    """Run all items, each after those it needs; items that need a failed one stay waiting."""
    progress = Progress.of_items(items)
    free = list(range(len(shares)))
    running: list[_Job] = []
    with ended_with_this(lambda: [job.process for job in running]):
        while running or progress.ready():
            if free and (ready := progress.ready()):
                item = ready[0]
                del progress.waiting[item]
                running.append(_start(layout, item, free.pop(0), shares))
            time.sleep(_TICK)
            for job in [job for job in running if job.process.poll() is not None]:
                running.remove(job)
                free.append(job.share)
                _finish(layout, job, items[job.item], progress)
    return progress


def _start(layout: Layout, item: str, share: int, shares: Sequence[Mapping[str, str]]) -> _Job:
    arguments = ["--wait-for-lock", "repro", "--single-item", item]
    log = layout.log(item)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        environment = {**one_pipeline(), **shares[share]}
        process = start_dvc(layout.root, arguments, environment, output.fileno())
    print(f"{item}: started", flush=True)
    return _Job(item, share, process, time.monotonic())


def _finish(layout: Layout, job: _Job, needed: set[str], progress: Progress) -> None:
    """Note how a job ended; queue it again if DVC's lock was taken."""
    seconds = f"{time.monotonic() - job.started:.0f} s"
    if job.process.returncode == 0:
        progress.done.add(job.item)
        print(f"{job.item}: done after {seconds}", flush=True)
        return
    said = layout.log(job.item).read_text(encoding="utf-8", errors="replace")
    attempt = progress.attempts.get(job.item, 0) + 1
    if attempt < _ATTEMPTS and any(message in said for message in _LOCKED):
        progress.attempts[job.item] = attempt
        progress.waiting[job.item] = needed
        return
    progress.failed.append(job.item)
    print(f"{job.item}: failed after {seconds}; see {layout.log(job.item)}", flush=True)
