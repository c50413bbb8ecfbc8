"""Inner validation: best epochs are kept, plateaus end, interruptions change nothing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from saltseg.config.params import Params
from saltseg.config.phases import Phase
from saltseg.learning.checkpoint import drop_checkpoint
from saltseg.learning.history import EpochRecord
from saltseg.learning.learner import Learner
from saltseg.learning.schedules import Score, best_epochs
from saltseg.learning.training import Place, Task, Trained, train
from saltseg.learning.training_sets import LabelledCrops, TrainingSets
from saltseg.models import create_model
from saltseg.models.devices import create_fabric
from saltseg.models.snapshots import Weights
from tests.helpers.interruptions import FailingImages, InterruptedTrainingError, same
from tests.helpers.phases import make_phase

EPOCHS = 8
PLATEAU: dict[str, Any] = {
    "epochs": EPOCHS,
    "learning_rate": 0.03,
    "final_learning_rate": 0.0001,
    "patience": 1,
    "stop_patience": 2,
}
STILL = make_phase("constant", learning_rate=1e-30)
"""A phase that leaves the weights as they are."""


@pytest.fixture
def crops() -> dict[str, LabelledCrops]:
    """Salt is where a noisy crop is bright."""
    draws = np.random.default_rng(0)
    masks = np.arange(101) < np.linspace(5, 95, 16)[:, None, None].repeat(101, axis=1)
    noisy = np.where(masks, 160, 90) + draws.normal(0, 40, masks.shape)
    images = noisy.clip(0, 255).astype(np.uint8)
    depth = np.arange(16, dtype=np.float32)
    parts = {
        "train": slice(0, 16, 2),
        "inner_validation": slice(1, 16, 4),
        "held_out": slice(3, 16, 4),
    }
    return {
        name: LabelledCrops(images[part], masks[part], depth[part]) for name, part in parts.items()
    }


@pytest.fixture
def task(shrunk_params: Params) -> Task:
    """Cross-entropy, then the Lovász hinge, each until nothing is gained."""
    first = impatient(make_phase("plateau", keep="none", loss={"bce": 1.0}, **PLATEAU))
    second = impatient(make_phase("plateau", loss={"lovasz": 1.0}, **PLATEAU))
    settings = {"batch_size": 4, "score_every": 100}
    training = shrunk_params.training.model_copy(update=settings)
    definition = shrunk_params.models["class_unet"]
    return Task(definition, training, "train_per_fold", [first, second], seed=3)


@pytest.fixture
def place(shrunk_params: Params, tmp_path: Path) -> Iterator[Place]:
    threads = torch.get_num_threads()
    runtime = shrunk_params.runtime.model_copy(update={"accelerator": "cpu"})
    yield Place(runtime, tmp_path / "weights", tmp_path / "checkpoints", "test")
    torch.set_num_threads(threads)


def impatient(phase: Phase) -> Phase:
    """End a plateau after one epoch without improvement, sooner than parameters allow."""
    schedule = phase.schedule.model_copy(update={"stop_patience": 1})
    return phase.model_copy(update={"schedule": schedule})


def run(task: Task, crops: Mapping[str, LabelledCrops], place: Place) -> Trained:
    return train(task, TrainingSets(**crops), place, lambda values, epoch: None)


def inner_score(record: EpochRecord) -> Score:
    assert record.inner_validation is not None
    return record.inner_validation


def ends(trained: Trained, phase: int) -> int:
    """Return the last epoch of a phase."""
    return max(record.epoch for record in trained.history if record.phase == phase)


@pytest.mark.parametrize("averaging", ["none", {"ema": {}}])
def test_each_phase_ends_early_and_its_best_epoch_is_kept(
    task: Task, crops: dict[str, LabelledCrops], place: Place, averaging: str | dict[str, Any]
) -> None:
    last = impatient(make_phase("plateau", loss={"lovasz": 1.0}, averaging=averaging, **PLATEAU))
    trained = run(replace(task, phases=[task.phases[0], last]), crops, place)
    for index in (0, 1):
        lines = [record for record in trained.history if record.phase == index]
        assert len(lines) < EPOCHS
        best = max(lines, key=inner_score)
        assert best is lines[-2], "one epoch without improvement ends a phase of this task"
        assert [line.snapshot for line in lines] == [False] * (len(lines) - 1) + [bool(index)]
    scored = [record.epoch for record in trained.history if record.validation_score is not None]
    assert scored == [ends(trained, index) for index in (0, 1)]
    (kept,) = trained.snapshots
    fabric = create_fabric(place.runtime)
    network = create_model(task.definition, seed=0, weights=None)
    learner = Learner(network, task.training.optimizer, fabric)
    learner.load_weights(kept)
    assert learner.score(crops["inner_validation"]) == pytest.approx(inner_score(best), rel=1e-5)
    # The last line scores the restored snapshot on the held-out fold, not the epoch after it.
    last_line = trained.history[-1]
    assert last_line.validation_score is not None and last_line.validation_bce is not None
    expected = Score(last_line.validation_score, -last_line.validation_bce)
    assert learner.score(crops["held_out"]) == pytest.approx(expected, rel=1e-5)


def test_the_next_phase_continues_from_the_best_epoch(
    task: Task, crops: dict[str, LabelledCrops], place: Place
) -> None:
    first = impatient(make_phase("plateau", **PLATEAU))
    kept, after = run(replace(task, phases=[first, STILL]), crops, place).snapshots
    assert all(torch.equal(kept[name], after[name]) for name in kept)


def test_the_inner_validation_chooses_the_epoch_but_trains_nothing(
    task: Task, crops: dict[str, LabelledCrops], place: Place
) -> None:
    one = run(task, crops, place)
    turned = replace(crops["inner_validation"], masks=~crops["inner_validation"].masks)
    two = run(task, {**crops, "inner_validation": turned}, place)
    assert not same(one, two)
    assert one.history[0].loss == two.history[0].loss


def keep(task: Task, schedule: str, kept: str | dict[str, int]) -> Task:
    """Train one phase on cross-entropy, at a rate at which the scores go up and down.

    The batches are a quarter of the crops.
    """
    settings: dict[str, Any] = {**PLATEAU, "learning_rate": 0.1, "stop_patience": 3}
    if schedule != "plateau":
        del settings["patience"], settings["stop_patience"]
    training = task.training.model_copy(update={"batch_size": 2})
    return replace(task, training=training, phases=[make_phase(schedule, keep=kept, **settings)])


def marked(trained: Trained) -> list[int]:
    return [record.epoch for record in trained.history if record.snapshot]


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "triangular2", "plateau"])
@pytest.mark.parametrize("keep_best", [1, 2, 4])
def test_the_last_best_epochs_leave_the_snapshots(
    task: Task, crops: dict[str, LabelledCrops], place: Place, schedule: str, keep_best: int
) -> None:
    trained = run(keep(task, schedule, {"best": keep_best}), crops, place)
    chosen = best_epochs([inner_score(line) for line in trained.history], keep_best)
    assert marked(trained) == chosen and len(trained.snapshots) == keep_best
    if schedule != "plateau":
        # Inner validation chooses epochs; it does not affect the training.
        everything = run(keep(task, schedule, {"last": EPOCHS}), crops, place)
        assert len(trained.history) == EPOCHS
        assert chosen != list(range(EPOCHS))[-keep_best:], "the task must not end with its best"
        expected = [everything.snapshots[epoch] for epoch in chosen]
        assert all(map(equal, trained.snapshots, expected))


def test_a_plateau_keeps_several_and_continues_from_its_best(
    task: Task, crops: dict[str, LabelledCrops], place: Place
) -> None:
    plateau = keep(task, "plateau", {"best": 3})
    trained = run(replace(plateau, phases=[*plateau.phases, STILL]), crops, place)
    (best,) = run(keep(task, "plateau", "cycle_ends"), crops, place).snapshots
    kept = marked(trained)[:-1]
    scores = [inner_score(trained.history[epoch]) for epoch in kept]
    assert len(trained.snapshots) == 4 and len(set(scores)) == 3
    at = scores.index(max(scores))
    assert equal(trained.snapshots[at], best) and equal(trained.snapshots[-1], best)


def equal(one: Weights, two: Weights) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_the_best_of_an_interrupted_training_are_the_same_bytes(
    task: Task, crops: dict[str, LabelledCrops], place: Place, schedule: str
) -> None:
    """Interrupted after every epoch; the checkpoint holds nothing that is not kept."""
    task = keep(task, schedule, {"best": 2})
    whole = run(task, crops, place)
    drop_checkpoint(whole.checkpoint)
    place = replace(place, runtime=place.runtime.model_copy(update={"save_seconds": 0}))
    while True:
        images = crops["train"].images.view(FailingImages)
        images.left = 5
        torch.manual_seed(0)
        try:
            train_crops = replace(crops["train"], images=images)
            again = run(task, {**crops, "train": train_crops}, place)
            break
        except InterruptedTrainingError:
            assert len([*whole.checkpoint.glob("snapshot_*")]) <= 2
    assert same(whole, again) and marked(again) == marked(whole)
    files = {path.name for path in again.checkpoint.glob("snapshot_*")}
    assert files == {f"snapshot_{epoch}.checkpoint" for epoch in marked(again)}


def test_a_training_interrupted_after_every_step_ends_with_the_same_bytes(
    task: Task,
    crops: dict[str, LabelledCrops],
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = run(task, crops, place)
    drop_checkpoint(whole.checkpoint)
    place = replace(place, runtime=place.runtime.model_copy(update={"save_seconds": 0}))
    interruptions = 0
    while True:
        images = crops["train"].images.view(FailingImages)
        images.left = 1
        torch.manual_seed(interruptions)
        try:
            train_crops = replace(crops["train"], images=images)
            again = run(task, {**crops, "train": train_crops}, place)
            break
        except InterruptedTrainingError:
            interruptions += 1
    assert interruptions == 2 * len(whole.history) - 1
    assert same(whole, again)
    places = [f"epoch {line.epoch}, batch {batch}" for line in whole.history for batch in (0, 1)]
    assert re.findall("resuming at (.*)", capsys.readouterr().err) == places[1:]
    # A finished training is not repeated.
    images.left = 0
    train_crops = replace(crops["train"], images=images)
    assert same(whole, run(task, {**crops, "train": train_crops}, place))


def test_workers_do_not_change_the_result(
    task: Task, crops: dict[str, LabelledCrops], place: Place
) -> None:
    one = run(task, crops, place)
    drop_checkpoint(one.checkpoint)
    with_workers = place.runtime.model_copy(update={"workers": 1})
    assert same(one, run(task, crops, replace(place, runtime=with_workers)))
