"""The step of `gpu` as it is, compiled, and compiled with CUDA graphs."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch

from benchmarks.gpu.networks import (
    RATE,
    Member,
    create_learner,
    draw_batch,
    forget,
    members,
    wait_for,
)
from benchmarks.gpu.settings import Row, Settings, failure
from saltseg.learning.losses import create_loss

WAYS: dict[str, dict[str, Any] | None] = {
    "as it is": None,
    "compiled": {},
    "compiled with CUDA graphs": {"mode": "reduce-overhead"},
}
STEPS = 20


def measure(settings: Settings) -> None:
    """Record seconds a step of each way, and how far its losses are from the first way's."""
    [member] = members("subset" if settings.small else "gpu", settings.small)
    plain: list[float] = []
    for way, options in WAYS.items():
        if settings.left() <= 0:
            settings.record("compiled", {"way": way, "failed": "left out: no time"})
            continue
        try:
            row, losses = measured(member, options, settings)
            plain = plain or losses
            away = max(abs(a - b) for a, b in zip(losses, plain, strict=True))
            row |= {"largest_difference_of_losses": away}
        except Exception as error:
            row = {"failed": failure(error)}
        torch.compiler.reset()
        forget(settings.device)
        settings.record("compiled", {"way": way, "batch": member.batch_size, **row})


def measured(
    member: Member, options: dict[str, Any] | None, settings: Settings
) -> tuple[Row, list[float]]:
    """Train on one batch again and again; return what a step takes, and the losses."""
    learner = create_learner(member, settings.device)
    if options is not None:
        learner.model.compile(**options)
    loss, batch = create_loss(member.phase.loss), draw_batch(member.batch_size, learner.fabric)

    def step() -> float:
        return float(learner.step(batch, loss, RATE))

    first, losses = timed(step, settings.device)
    steps = 3 if settings.small else STEPS
    found = [timed(step, settings.device) for _ in range(steps)]
    seconds = sorted(each for each, _ in found)
    row = {
        "first_seconds": round(first, 2),
        "seconds": round(seconds[len(seconds) // 2], 5),
        "crops_per_second": round(member.batch_size / seconds[len(seconds) // 2], 1),
    }
    return row, [losses, *(value for _, value in found)]


def timed(step: Callable[[], float], device: str) -> tuple[float, float]:
    """Return the seconds of a step, and its loss."""
    started = perf_counter()
    loss = step()
    wait_for(device)
    return perf_counter() - started, loss
