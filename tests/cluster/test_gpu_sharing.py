"""How a GPU is shared, by its memory and the machine's CPUs."""

import pytest

from saltseg.cluster.gpu_sharing import Gpu, share_gpus, slots
from saltseg.learning.memory import CONTEXT, training_memory
from tests.helpers.model_definitions import define_input, define_plain_cnn, define_unet

GIB = 1 << 30


@pytest.mark.parametrize(
    ("free", "needed", "cpus", "expected"),
    [
        (140, 6, 16, 4),  # as many as are worth it
        (140, 50, 16, 2),  # as many as fit into nine tenths
        (140, 65, 16, 1),
        (140, 6, 7, 3),  # two CPUs each
        (16, 40, 64, 1),  # an estimate that does not fit is tried all the same
        (140, 6, 1, 1),
        (0, 6, 16, 1),
    ],
)
def test_memory_and_cpus_say_how_many_trainings_share_a_gpu(
    free: int, needed: int, cpus: int, expected: int
) -> None:
    assert slots(free * GIB, needed * GIB, cpus) == expected


def test_jobs_take_the_gpus_in_turn_with_a_part_of_the_memory_each() -> None:
    gpus = [Gpu("2", 100 * GIB, 100 * GIB), Gpu("5", 20 * GIB, 80 * GIB)]
    shares = share_gpus(gpus, 12 * GIB, 16, None)
    assert [share["CUDA_VISIBLE_DEVICES"] for share in shares] == ["2", "5", "2", "2", "2"]
    parts = [share.get("PYTORCH_ALLOC_CONF") for share in shares]
    shared = "per_process_memory_fraction:0.2250"
    assert parts == [shared, None, shared, shared, shared]


def test_a_number_of_jobs_is_spread_evenly_whatever_fits() -> None:
    gpus = [Gpu("0", GIB, 10 * GIB), Gpu("1", 10 * GIB, 10 * GIB)]
    shares = share_gpus(gpus, 0, 2, 3)
    assert [share["CUDA_VISIBLE_DEVICES"] for share in shares] == ["0", "1", "0"]
    assert shares[0]["PYTORCH_ALLOC_CONF"] == "per_process_memory_fraction:0.0450"
    assert share_gpus(gpus, 0, 2, 1) == [{"CUDA_VISIBLE_DEVICES": "0"}]


def test_a_training_needs_memory_for_what_its_step_keeps() -> None:
    """Each layer keeps its input and its output's signs; the first, the image."""
    layers = define_plain_cnn(filters=8, layers=3, input=define_input())
    weights = 4 * (9 * 8 + 8 + 2 * (9 * 8 * 8 + 8) + 9)
    kept = 4 * 101**2 * (1 + 3 * 8)
    for size in (2, 32):
        needed = training_memory([layers], size) - CONTEXT
        assert needed == pytest.approx(1.5 * (4 * weights + size * kept), rel=0.05)
    larger = define_unet(encoder="resnet18")
    assert training_memory([layers, larger], 8) == training_memory([larger], 8)
