import math
from itertools import pairwise

import numpy as np
import pytest
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR, ReduceLROnPlateau

from saltseg.config.params import Params
from saltseg.config.phases import Phase
from saltseg.config.snapshot_counts import expected_snapshots
from saltseg.learning.schedules import (
    Score,
    batch_count,
    best_epochs,
    cosine,
    is_over,
    learning_rate,
    plan_epochs,
    plateau,
)
from tests.helpers.phases import make_phase


def rates(planned: Phase, crops: int) -> list[float]:
    """Return the learning rate of each step of a phase, in batches of 8."""
    epochs = plan_epochs([planned], {"train": crops}, batch_size=8)
    return [
        learning_rate(planned.schedule, epoch, step, []) for epoch in epochs for step in epoch.steps
    ]


PHASES = [
    make_phase(data="pseudolabels", epochs=2, keep="none"),
    make_phase(cycles=3, epochs=2),
]


def test_a_cosine_starts_and_ends_where_it_is_told() -> None:
    assert cosine(0, 11, 0.1, 0.001) == 0.1
    assert math.isclose(cosine(10, 11, 0.1, 0.001), 0.001)
    assert math.isclose(cosine(5, 11, 0.1, 0.001), (0.1 + 0.001) / 2)


def test_each_cycle_restarts_the_learning_rate() -> None:
    epochs = plan_epochs(PHASES, {"pseudolabels": 20, "train": 32}, batch_size=8)
    starts = [learning_rate(PHASES[e.phase].schedule, e, e.steps[0], []) for e in epochs]
    ends = [learning_rate(PHASES[e.phase].schedule, e, e.steps[-1], []) for e in epochs]
    assert [start == 0.1 for start in starts] == [True, False] * 4
    assert [math.isclose(end, 0.001) for end in ends] == [False, True] * 4
    assert [e.ends_cycle for e in epochs] == [False, True] * 4
    assert [e.number for e in epochs] == list(range(8))


def test_a_phase_without_crops_is_left_out_and_loses_no_snapshot() -> None:
    epochs = plan_epochs(PHASES, {"pseudolabels": 0, "train": 32}, batch_size=8)
    assert {e.phase for e in epochs} == {1}
    assert len(epochs) == 6
    assert sum(e.ends_cycle for e in epochs) == expected_snapshots(PHASES) == 3


def test_a_mixed_epoch_is_one_pass_over_the_training_crops() -> None:
    mixed = [make_phase(data={"mixed": {"share": 0.25}}, epochs=2)]
    some, none = (
        plan_epochs(mixed, {"pseudolabels": count, "train": 60}, batch_size=8) for count in (9, 0)
    )
    assert [len(epoch.steps) for epoch in some] == [10, 10]  # six of the 60 in each batch
    assert [len(epoch.steps) for epoch in none] == [8, 8]


def test_a_pooled_epoch_is_one_pass_over_both() -> None:
    pooled = [make_phase(data="pooled", epochs=2)]
    some, none = (
        plan_epochs(pooled, {"pseudolabels": count, "train": 60}, batch_size=8) for count in (20, 0)
    )
    assert [len(epoch.steps) for epoch in some] == [10, 10]
    assert [len(epoch.steps) for epoch in none] == [8, 8]


def test_every_crop_is_in_a_batch_however_few_there_are() -> None:
    assert [batch_count(crops, 16) for crops in (1, 16, 25, 40)] == [1, 1, 2, 2]


def test_the_real_phases_keep_snapshots(shrunk_params: Params) -> None:
    assert expected_snapshots(shrunk_params.train_per_fold.phases) == 2


def test_one_cycle_is_torch_s_own() -> None:
    """Torch takes the first step's rate and the last one's as shares of the peak."""
    made = rates(make_phase("one_cycle", epochs=4), crops=8 * 15)
    optimizer = SGD(nn.Linear(1, 1).parameters(), momentum=0.9)
    # Torch's rise ends at pct_start * 60 - 1, a quarter of the 59 steps from the first to the last.
    theirs = OneCycleLR(
        optimizer, 0.1, 60, pct_start=(59 / 4 + 1) / 60, div_factor=25, final_div_factor=4
    )
    for rate in made:
        assert math.isclose(rate, theirs.get_last_lr()[0], rel_tol=1e-9)
        optimizer.step()
        if rate is not made[-1]:
            theirs.step()


def test_triangular2_is_torch_s_own() -> None:
    made = rates(make_phase("triangular2", cycles=3, epochs=2), crops=8 * 5)
    optimizer = SGD(nn.Linear(1, 1).parameters(), momentum=0.9)
    theirs = CyclicLR(optimizer, 0.001, 0.1, step_size_up=5, mode="triangular2")
    for rate in made:
        assert math.isclose(rate, theirs.get_last_lr()[0], rel_tol=1e-9)
        optimizer.step()
        theirs.step()


def test_a_plateau_s_learning_rate_is_torch_s_own() -> None:
    precisions = [0.1, 0.3, 0.3, 0.2, 0.4, 0.1, 0.1, 0.1, 0.1, 0.5, 0.1, 0.1, 0.1, 0.1, 0.6]
    optimizer = SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    # Torch counts the epochs that may pass without a gain, Keras the one at which the rate falls.
    theirs = ReduceLROnPlateau(
        optimizer, "max", factor=0.5, patience=1, threshold=0.0, threshold_mode="abs", min_lr=0.01
    )
    rates = []
    for count, precision in enumerate(precisions, start=1):
        theirs.step(precision)
        scores = [Score(value, 0.0) for value in precisions[:count]]
        rates.append(plateau(scores, 0.1, least=0.01, factor=0.5, patience=2))
        assert math.isclose(rates[-1], optimizer.param_groups[0]["lr"], rel_tol=1e-9)
    assert rates[0] == 0.1 and rates[-1] == 0.01 and len(set(rates)) == 5


def test_equal_precision_is_a_gain_where_the_cross_entropy_falls() -> None:
    young = [Score(0.4, -0.7), Score(0.4, -0.6), Score(0.4, -0.5)]
    assert plateau(young, 0.1, least=0.001, factor=0.5, patience=1) == 0.1
    assert plateau(young[::-1], 0.1, least=0.001, factor=0.5, patience=1) == 0.025


@pytest.mark.parametrize(
    ("precisions", "over"),
    [
        ([], False),
        ([0.5], False),
        ([0.5, 0.4], False),
        ([0.5, 0.4, 0.5], True),
        ([0.5, 0.4, 0.6], False),
        ([0.1, 0.2, 0.3, 0.4], False),
        ([0.1, 0.2, 0.3, 0.4, 0.5], True),
    ],
)
def test_a_plateau_ends_without_a_gain_or_with_its_last_epoch(
    precisions: list[float], over: bool
) -> None:
    planned = make_phase("plateau", epochs=5, patience=1, stop_patience=2)
    assert is_over(planned, [Score(precision, 0.0) for precision in precisions]) == over
    assert expected_snapshots([planned]) == 1


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "triangular2"])
def test_a_cycle_of_a_single_step_has_a_learning_rate(schedule: str) -> None:
    assert all(0 < rate <= 0.1 for rate in rates(make_phase(schedule, cycles=2), crops=3))


def test_a_cosine_falls_all_the_way() -> None:
    assert all(a > b for a, b in pairwise(rates(make_phase(epochs=3), crops=32)))


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ("none", []),
        ("cycle_ends", [1, 3, 5]),
        ({"last": 1}, [5]),
        ({"last": 4}, [2, 3, 4, 5]),
        ({"last": 6}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_phase_keeps_the_ends_of_its_cycles_or_its_last_epochs(
    keep: str | dict[str, int], kept: list[int]
) -> None:
    phases = [make_phase(cycles=3, epochs=2, keep=keep)]
    epochs = plan_epochs(phases, {"train": 32}, batch_size=8)
    assert [epoch.number for epoch in epochs if epoch.snapshot] == kept
    assert expected_snapshots(phases) == len(kept)


@pytest.mark.parametrize(
    ("precisions", "count", "kept"),
    [
        ([0.1, 0.3, 0.2, 0.4, 0.5, 0.45], 1, [4]),
        ([0.1, 0.3, 0.2, 0.4, 0.5, 0.45], 3, [1, 3, 4]),
        ([0.1, 0.3, 0.2, 0.4, 0.5, 0.45], 4, [0, 1, 3, 4]),
        ([0.1, 0.3, 0.2, 0.4, 0.5, 0.45], 5, [0, 1, 3, 4, 5]),
        ([0.5, 0.4, 0.3, 0.45], 2, [0, 3]),
        ([0.5, 0.5, 0.5], 2, [0, 2]),
        ([0.5, 0.6], 3, [0, 1]),
    ],
)
def test_the_last_best_epochs_are_kept_and_the_best_of_the_others_fill_up(
    precisions: list[float], count: int, kept: list[int]
) -> None:
    assert best_epochs([Score(precision, 0.0) for precision in precisions], count) == kept


def test_an_epoch_that_is_dropped_is_never_kept_again() -> None:
    draws = np.random.default_rng(0)
    for _ in range(50):
        scores = [Score(float(value), 0.0) for value in draws.integers(0, 9, 20)]
        kept: set[int] = set()
        for epoch in range(20):
            now = set(best_epochs(scores[: epoch + 1], 5))
            assert now <= kept | {epoch} and len(now) == min(epoch + 1, 5)
            kept = now


def test_how_many_best_epochs_are_kept_is_known_beforehand_but_not_which() -> None:
    phases = [make_phase(cycles=3, epochs=2, keep={"best": 4}), make_phase(cycles=2)]
    epochs = plan_epochs(phases, {"train": 32}, batch_size=8)
    assert [epoch.snapshot for epoch in epochs] == [False] * 6 + [True] * 2
    assert expected_snapshots(phases) == 6


def test_only_a_plateau_ends_early() -> None:
    planned = make_phase(cycles=2, epochs=2, keep={"best": 1})
    scores = [Score(precision, 0.0) for precision in (0.5, 0.4, 0.3, 0.2)]
    assert [is_over(planned, scores[:count]) for count in range(5)] == [False] * 4 + [True]


def test_a_constant_learning_rate_is_the_same_in_every_step() -> None:
    assert set(rates(make_phase("constant", cycles=2, epochs=3), crops=32)) == {0.1}
