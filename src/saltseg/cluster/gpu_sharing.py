"""How many trainings share a GPU, and what each of them may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST = 4
"""Trainings on one GPU at most; `saltseg train --jobs` sets another number."""
CPUS_EACH = 2
"""CPUs that a training needs at least: for its own process, and for one that augments crops."""
USABLE = 0.9
"""Share of a GPU's free memory that is dealt out."""


@dataclass(frozen=True)
class Gpu:
    """A GPU as this process sees it."""

    name: str
    """Index or id, for CUDA_VISIBLE_DEVICES."""
    free: int
    """Bytes that nobody uses."""
    total: int
    """Bytes in all."""


def slots(free: int, needed: int, cpus: int) -> int:
    """Return how many trainings share a GPU at a time; at least one, whatever there is.

    free: bytes; needed: bytes of one training; cpus: number of CPUs for this GPU's trainings.
    """
    fitting = int(USABLE * free) // max(needed, 1)
    return max(1, min(MOST, fitting, cpus // CPUS_EACH))


def share_gpus(
    gpus: Sequence[Gpu], needed: int, cpus: int, jobs: int | None
) -> list[dict[str, str]]:
    """Return the environment variables of each job, dealt out over the GPUs in turn.

    jobs: None for as many as memory and CPUs allow. A job that shares a GPU gets a fixed part of
    its memory, so that none takes what another needs later.
    """
    if jobs is None:
        counts = {gpu.name: slots(gpu.free, needed, cpus // len(gpus)) for gpu in gpus}
    else:
        counts = {gpu.name: -(-(jobs - place) // len(gpus)) for place, gpu in enumerate(gpus)}
    rounds = range(max(counts.values()))
    return [_job(gpu, counts) for turn in rounds for gpu in gpus if turn < counts[gpu.name]]


def _job(gpu: Gpu, counts: Mapping[str, int]) -> dict[str, str]:
    visible = {"CUDA_VISIBLE_DEVICES": gpu.name}
    if counts[gpu.name] == 1:
        return visible
    share = USABLE * gpu.free / gpu.total / counts[gpu.name]
    return {**visible, "PYTORCH_ALLOC_CONF": f"per_process_memory_fraction:{share:.4f}"}
