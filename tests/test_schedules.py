import math

from saltseg.params import Params, Phase
from saltseg.schedules import batch_count, cosine, expected_snapshots, learning_rate, plan_epochs


def phase(data: str, cycles: int, epochs: int, snapshots: bool = True) -> Phase:
    return Phase.model_validate(
        {
            "data": data,
            "loss": {"bce": 1.0},
            "cycles": cycles,
            "epochs": epochs,
            "learning_rate": 0.1,
            "final_learning_rate": 0.001,
            "snapshots": snapshots,
        }
    )


PHASES = [phase("pseudolabels", 1, 2, snapshots=False), phase("train", 3, 2)]


def test_a_cosine_starts_and_ends_where_it_is_told() -> None:
    assert cosine(0, 11, 0.1, 0.001) == 0.1
    assert math.isclose(cosine(10, 11, 0.1, 0.001), 0.001)
    assert math.isclose(cosine(5, 11, 0.1, 0.001), (0.1 + 0.001) / 2)


def test_each_cycle_restarts_the_learning_rate() -> None:
    epochs = plan_epochs(PHASES, {"pseudolabels": 20, "train": 32}, batch_size=8)
    starts = [learning_rate(PHASES[e.phase], e, e.steps[0]) for e in epochs]
    ends = [learning_rate(PHASES[e.phase], e, e.steps[-1]) for e in epochs]
    assert [start == 0.1 for start in starts] == [True, False] * 4
    assert [math.isclose(end, 0.001) for end in ends] == [False, True] * 4
    assert [e.ends_cycle for e in epochs] == [False, True] * 4
    assert [e.number for e in epochs] == list(range(8))


def test_a_phase_without_crops_is_left_out_and_loses_no_snapshot() -> None:
    epochs = plan_epochs(PHASES, {"pseudolabels": 0, "train": 32}, batch_size=8)
    assert {e.phase for e in epochs} == {1}
    assert len(epochs) == 6
    assert sum(e.ends_cycle for e in epochs) == expected_snapshots(PHASES) == 3


def test_every_crop_is_in_a_batch_however_few_there_are() -> None:
    assert [batch_count(crops, 16) for crops in (1, 16, 25, 40)] == [1, 1, 2, 2]


def test_the_real_phases_keep_snapshots(shrunk_params: Params) -> None:
    assert expected_snapshots(shrunk_params.train_per_fold.phases) == 2
