"""Crops a second in training, against what the card can do, with one job and with several."""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from queue import Empty
from time import perf_counter

import numpy as np
import torch

from benchmarks.gpu.networks import Member, create_learner, members, stepper, wait_for
from benchmarks.gpu.settings import Row, Settings, failure
from saltseg.config.model_definitions import CROP
from saltseg.learning.batches import AugmentedBatches, load_batches
from saltseg.learning.costs import STEP, network_size
from saltseg.learning.training_sets import LabelledCrops

JOBS = (1, 2, 4)
BATCHES = (64, 128)
"""Batch sizes beside the recipe's own, for one job."""
WARM = 5
PATIENCE = 300
"""Seconds to wait for all jobs to be ready."""


def measure(settings: Settings) -> None:
    """Record the card's limits, then crops a second by number of jobs and by batch size."""
    attempt(settings, {"what": "limits"}, partial(limits, settings))
    [member] = members("subset" if settings.small else "gpu", settings.small)
    seconds = 1.0 if settings.small else 6.0
    jobs = JOBS[:2] if settings.small else JOBS
    sizes = () if settings.small else BATCHES
    for count, size in [(each, member.batch_size) for each in jobs] + [(1, s) for s in sizes]:
        name = {"what": "training", "network": member.name, "jobs": count, "batch": size}
        attempt(settings, name, partial(trained, member, count, size, seconds, settings))
    for workers in (0, 2) if settings.small else (0, 4, 8, 16):
        name = {"what": "augmentation", "workers": workers, "cpus": os.cpu_count()}
        attempt(settings, name, partial(augmented, member, workers, seconds))


def attempt(settings: Settings, name: Row, work: Callable[[], Row]) -> None:
    """Record what `work` finds, or why it failed."""
    if settings.left() <= 0:
        settings.record("throughput", {**name, "failed": "left out: no time"})
        return
    try:
        found = work()
    except Exception as error:
        found = {"failed": failure(error)}
    settings.record("throughput", {**name, **found})


def limits(settings: Settings) -> Row:
    """Return what the device multiplies and copies, in one large piece each."""
    side, place = (512 if settings.small else 8192), settings.device
    kind = torch.bfloat16 if place == "cuda" else torch.float32
    left, right = (torch.rand(side, side, device=place, dtype=kind) for _ in range(2))
    many = torch.zeros((1 << 24) if settings.small else (1 << 30), dtype=torch.uint8, device=place)
    per_product = repeated(lambda: left @ right, place)
    per_copy = repeated(many.clone, place)
    return {
        "flop_per_second": 2 * side**3 / per_product,
        "bytes_per_second": 2 * many.nbytes / per_copy,
        "device": torch.cuda.get_device_name() if place == "cuda" else "cpu",
        "free_and_total_bytes": list(torch.cuda.mem_get_info()) if place == "cuda" else None,
    }


def repeated(work: Callable[[], object], device: str, times: int = 10) -> float:
    """Return the seconds of one of several calls, after a first."""
    work()
    wait_for(device)
    started = perf_counter()
    for _ in range(times):
        work()
    wait_for(device)
    return (perf_counter() - started) / times


def trained(member: Member, jobs: int, size: int, seconds: float, settings: Settings) -> Row:
    """Train in `jobs` processes at a time, each on its own crops; return crops a second in all."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(jobs)
    found: Queue[Row] = context.Queue()
    arguments = (replace(member, batch_size=size), seconds, settings.device, barrier, found)
    processes = [context.Process(target=job, args=arguments, daemon=True) for _ in range(jobs)]
    for process in processes:
        process.start()
    patience = min(PATIENCE, settings.left()) + 2 * seconds
    try:
        answers = [found.get(timeout=patience) for _ in processes]
    except Empty as error:
        raise TimeoutError(f"not all of {jobs} jobs answered in {patience:.0f} s") from error
    finally:
        for process in processes:
            process.join(timeout=5)
            process.kill()
    wrong = [answer["failed"] for answer in answers if "failed" in answer]
    if wrong:
        return {"failed": wrong[0]}
    rate = sum(answer["crops_per_second"] for answer in answers)
    operations = STEP * network_size(member.definition)[1]
    peak = max((answer["peak_bytes"] or 0 for answer in answers), default=0)
    return {
        "crops_per_second": round(rate, 1),
        "flop_per_second": rate * operations,
        "peak_bytes": peak or None,
    }


def job(member: Member, seconds: float, device: str, barrier: Barrier, found: "Queue[Row]") -> None:
    """Train on one batch again and again for some seconds, once all jobs are ready."""
    try:
        learner = create_learner(member, device)
        step = stepper(learner, member)
        for _ in range(WARM):
            step()
        wait_for(device)
        barrier.wait(timeout=PATIENCE)
        found.put(counted(step, member.batch_size, seconds, device))
    except BaseException as error:
        barrier.abort()
        found.put({"failed": failure(error)})


def counted(
    step: Callable[[], torch.Tensor], size: int, seconds: float, device: str
) -> dict[str, float | None]:
    """Return crops a second over at least `seconds`."""
    started, steps = perf_counter(), 0
    while perf_counter() - started < seconds:
        for _ in range(WARM):
            step()
        wait_for(device)
        steps += WARM
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else None
    return {"crops_per_second": steps * size / (perf_counter() - started), "peak_bytes": peak}


def augmented(member: Member, workers: int, seconds: float) -> Row:
    """Return crops a second that `workers` processes augment, without any network."""
    draws, count = np.random.default_rng(0), 2048
    images = draws.integers(0, 256, (count, CROP, CROP), np.uint8)
    crops = LabelledCrops(images, images > 127, np.zeros(count, np.float32))
    training = member.params.training
    batches = AugmentedBatches(crops, training.batch_size, training.augmentation, 0)
    loaded, seen = load_batches(batches, range(1000), workers), 0
    next(loaded)
    started = perf_counter()
    for images_of, _, _ in loaded:
        seen += len(images_of)
        if perf_counter() - started >= seconds:
            break
    return {"crops_per_second": round(seen / (perf_counter() - started), 1)}
