"""Steps of each network: memory, time, NaN, and whether the same steps give the same bytes."""

import hashlib
import re
import warnings
from time import perf_counter

import torch

from benchmarks.gpu.networks import (
    RECIPES,
    Member,
    create_learner,
    forget,
    members,
    stepper,
    wait_for,
)
from benchmarks.gpu.settings import Row, Settings, failure
from saltseg.learning.learner import Learner
from saltseg.learning.memory import training_memory

STEPS = 3


def measure(settings: Settings) -> None:
    """Record a row for each network of RECIPES; one that fails leaves the others alone.

    In small, a tiny network comes first, so that something is measured on any machine.
    """
    for recipe in ("subset", *RECIPES) if settings.small else RECIPES:
        for member in members(recipe, settings.small):
            name = {"recipe": recipe, "network": member.name, "batch": member.batch_size}
            if settings.left() <= 0:
                settings.record("steps", {**name, "failed": "left out: no time"})
                continue
            try:
                row = measured(member, settings.device)
            except Exception as error:
                row = {"failed": failure(error)}
            forget(settings.device)
            settings.record("steps", {**name, **row})


def measured(member: Member, device: str) -> Row:
    """Train a network twice from the same weights, and say what a step takes."""
    forget(device)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first, seconds, losses = _train(member, device)
        second, _, _ = _train(member, device)
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else None
    return {
        "seconds": round(min(seconds), 4),
        "first_seconds": round(seconds[0], 3),
        "loss": [round(loss, 5) for loss in losses],
        "finite": all(torch.isfinite(torch.tensor(losses))) and first != "",
        "repeats": first == second,
        "peak_bytes": peak,
        "estimated_bytes": training_memory([member.definition], member.batch_size),
        "not_deterministic": sorted({said for each in caught if (said := _kernel(each))}),
    }


def _train(member: Member, device: str) -> tuple[str, list[float], list[float]]:
    """Return a hash of the weights after STEPS, and each step's seconds and loss."""
    learner = create_learner(member, device)
    step, seconds, losses = stepper(learner, member), [], []
    for _ in range(STEPS):
        started = perf_counter()
        losses.append(float(step()))
        wait_for(device)
        seconds.append(perf_counter() - started)
    return _digest(learner), seconds, losses


def _digest(learner: Learner) -> str:
    """Hash the weights; empty where one is not finite."""
    digest = hashlib.sha256()
    for tensor in learner.copy_weights().values():
        if not torch.isfinite(tensor.float()).all():
            return ""
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def _kernel(caught: warnings.WarningMessage) -> str:
    """Return the name of a kernel that has no deterministic version, of torch's warning."""
    said = str(caught.message)
    found = re.match(r"(\S+) does not have a deterministic implementation", said)
    if found:
        return found.group(1)
    return "CuBLAS without CUBLAS_WORKSPACE_CONFIG" if "CUBLAS_WORKSPACE_CONFIG" in said else ""
