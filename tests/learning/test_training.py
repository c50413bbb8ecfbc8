from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from saltseg.config.model_definitions import Input
from saltseg.config.params import Params
from saltseg.config.phases import Phase, choice_name
from saltseg.crops.crop_set import CropSet
from saltseg.learning.checkpoint import drop_checkpoint
from saltseg.learning.history import final_metrics, write_history
from saltseg.learning.training import Place, Task, Trained, train
from saltseg.learning.training_sets import LabelledCrops, TrainingSets, split_by_fold
from saltseg.models.snapshots import Weights
from saltseg.plumbing.errors import InputError
from tests.helpers.interruptions import FailingImages, InterruptedTrainingError, same
from tests.helpers.phases import make_phase


@pytest.fixture
def task(shrunk_params: Params) -> Task:
    return Task(
        shrunk_params.models["class_unet"],
        shrunk_params.training,
        "train_per_fold",
        shrunk_params.train_per_fold.phases,
        seed=7,
    )


@pytest.fixture
def folded(small_crops: CropSet) -> tuple[LabelledCrops, LabelledCrops]:
    train_table = small_crops.train
    folds = pd.DataFrame({"id": train_table["id"], "fold": np.arange(len(train_table)) % 2})
    return split_by_fold(small_crops, folds.sample(frac=1, random_state=0), fold=0)


@pytest.fixture
def place(shrunk_params: Params, tmp_path: Path) -> Iterator[Place]:
    threads = torch.get_num_threads()
    yield Place(shrunk_params.runtime, tmp_path / "weights", tmp_path / "checkpoints", "test")
    torch.set_num_threads(threads)


def padded(task: Task) -> Task:
    """Let the network draw where each crop lies in its padding, beside its dropout."""
    padding = Input(fit="edge", resized=0, size=104, offset="random", channels=["image"])
    return replace(task, definition=task.definition.model_copy(update={"input": padding}))


def silent(values: Mapping[str, float], step: int) -> None:
    """Report to nobody."""


def run(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place, pseudo: int = 0
) -> Trained:
    learned, held_out = folded
    labels = LabelledCrops(
        held_out.images[:pseudo], held_out.masks[:pseudo], held_out.depth[:pseudo]
    )
    return train(task, TrainingSets(learned, held_out, pseudolabels=labels), place, silent)


def test_workers_do_not_change_the_result(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    task = padded(task)
    one = run(task, folded, place)
    drop_checkpoint(one.checkpoint)
    with_workers = place.runtime.model_copy(update={"workers": 2})
    two = run(task, folded, replace(place, runtime=with_workers))
    drop_checkpoint(two.checkpoint)
    assert same(one, two)
    assert not same(one, run(replace(task, seed=8), folded, place))


def test_interrupted_after_every_step_it_goes_on_to_the_same_bytes(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    training = task.training.model_copy(update={"batch_size": 4})
    task = replace(padded(task), training=training)
    whole = run(task, folded, place, pseudo=8)
    drop_checkpoint(whole.checkpoint)
    learned, held_out = folded
    labels = LabelledCrops(held_out.images[:8], held_out.masks[:8], held_out.depth[:8])
    each_step = replace(place, runtime=place.runtime.model_copy(update={"save_seconds": 0}))

    def train_a_step(reported: list[int]) -> Trained:
        images = learned.images.view(FailingImages)
        images.left = 1
        torch.manual_seed(0)  # a process of its own would not know where dropout was
        sets = TrainingSets(replace(learned, images=images), held_out, pseudolabels=labels)
        return train(task, sets, each_step, lambda _, epoch: reported.append(epoch))

    steps = 2 * 3  # two epochs on the training crops, three batches each
    for _ in range(steps - 1):
        with pytest.raises(InterruptedTrainingError):
            train_a_step([])
    reported: list[int] = []
    assert same(whole, train_a_step(reported))
    assert reported == [0, 1, 2]


def test_a_mixed_phase_goes_on_to_the_same_bytes_and_knows_its_soft_labels(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    """Two epochs of six batches, of two training crops and two pseudo-labels each."""
    task = replace(
        task,
        training=task.training.model_copy(update={"batch_size": 4}),
        phases=[make_phase("constant", {"mixed": {}}, epochs=2, learning_rate=0.002)],
    )
    learned, held_out = folded
    soft = np.where(held_out.masks, np.uint8(200), np.uint8(60))
    whole = run_mixed(task, learned, replace(held_out, soft=soft), place)
    drop_checkpoint(whole.checkpoint)
    each_step = replace(place, runtime=place.runtime.model_copy(update={"save_seconds": 0}))
    images = held_out.images.view(FailingImages)
    images.left = 8
    with pytest.raises(InterruptedTrainingError):
        run_mixed(task, learned, replace(held_out, images=images, soft=soft), each_step)
    images.left = 4
    again = run_mixed(task, learned, replace(held_out, images=images, soft=soft), each_step)
    assert same(whole, again)
    assert (
        whole.checkpoint
        != run_mixed(task, learned, replace(held_out, soft=255 - soft), place).checkpoint
    )


def test_a_pooled_phase_goes_on_to_the_same_bytes_whatever_the_workers(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    """Two epochs of six batches of both sets."""
    task = replace(
        task,
        training=task.training.model_copy(update={"batch_size": 4}),
        phases=[make_phase(data="pooled", epochs=2, learning_rate=0.002)],
    )
    learned, held_out = folded
    labels = replace(held_out, soft=np.where(held_out.masks, np.uint8(200), np.uint8(60)))
    with_workers = replace(place, runtime=place.runtime.model_copy(update={"workers": 2}))
    whole = run_mixed(task, learned, labels, with_workers)
    drop_checkpoint(whole.checkpoint)

    def interrupt(values: Mapping[str, float], epoch: int) -> None:
        if epoch == 1:
            raise InterruptedTrainingError

    each_step = replace(place, runtime=place.runtime.model_copy(update={"save_seconds": 0}))
    with pytest.raises(InterruptedTrainingError):
        sets = TrainingSets(learned, learned, pseudolabels=labels)
        train(task, sets, each_step, interrupt)
    again = run_mixed(task, learned, labels, each_step)
    assert same(whole, again)
    drop_checkpoint(again.checkpoint)
    mixed = replace(task, phases=[make_phase(data={"mixed": {}}, epochs=2, learning_rate=0.002)])
    assert not same(whole, run_mixed(mixed, learned, labels, place))
    assert not same(whole, run_mixed(task, learned, replace(labels, soft=None), place))


def run_mixed(task: Task, learned: LabelledCrops, labels: LabelledCrops, place: Place) -> Trained:
    return train(task, TrainingSets(learned, learned, pseudolabels=labels), place, silent)


@pytest.mark.parametrize("before", [[], [make_phase(keep="none", size=120)]])
@pytest.mark.parametrize("averaging", ["ema", "swa"])
def test_an_average_goes_on_to_the_same_bytes(
    task: Task,
    folded: tuple[LabelledCrops, LabelledCrops],
    place: Place,
    averaging: str,
    before: list[Phase],
) -> None:
    """Two epochs of three batches; SWA takes those of each epoch twice.

    After a phase of another size, an average has the size of its own phase.
    """
    averaged = average_of(padded(task), averaging, {"last": 2})
    averaged = replace(averaged, phases=[*before, *averaged.phases])
    whole = run(averaged, folded, place)
    drop_checkpoint(whole.checkpoint)
    learned, held_out = folded
    each_step = replace(place, runtime=place.runtime.model_copy(update={"save_seconds": 0}))
    interruptions = 0
    while True:
        images = learned.images.view(FailingImages)
        images.left = 4 if averaging == "swa" else 1
        torch.manual_seed(interruptions)
        try:
            sets = TrainingSets(replace(learned, images=images), held_out)
            again = train(averaged, sets, each_step, silent)
            break
        except InterruptedTrainingError:
            interruptions += 1
    assert interruptions >= 3
    assert len(again.snapshots) == 2 and same(whole, again)
    assert again.history == whole.history


def average_of(
    task: Task,
    averaging: str,
    keep: str | dict[str, int],
    schedule: str = "constant",
    cycles: int = 1,
) -> Task:
    """Train residual blocks, which have batch normalisation, in one phase of two epochs.

    Or of two cycles of one epoch.
    """
    phase = make_phase(
        schedule,
        keep=keep,
        averaging={"ema": {}} if averaging == "ema" else averaging,
        loss={"lovasz": 1.0},
        cycles=cycles,
        epochs=2 // cycles,
        learning_rate=0.001,
    )
    return replace(
        task,
        definition=task.definition.model_copy(update={"blocks": "residual"}),
        training=task.training.model_copy(update={"batch_size": 4}),
        phases=[phase],
    )


def test_an_average_is_kept_and_scored_and_leaves_the_training_alone(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    plain, ema, swa = (
        run(average_of(task, averaging, {"last": 1}), folded, place)
        for averaging in ("none", "ema", "swa")
    )
    losses = [[line.loss for line in trained.history] for trained in (plain, ema, swa)]
    assert losses[0] == losses[1] == losses[2]
    assert not torch.equal(*(next(iter(t.snapshots[0].values())) for t in (plain, ema)))
    scores = [[line.validation_bce for line in t.history] for t in (plain, ema, swa)]
    assert scores[0][0] != scores[1][0] and scores[0][0] == scores[2][0]
    assert len({each[1] for each in scores}) == 3


@pytest.mark.parametrize(
    ("keep", "schedule", "cycles"), [({"last": 2}, "constant", 1), ("cycle_ends", "cosine", 2)]
)
def test_a_stochastic_average_is_of_its_phase(
    task: Task,
    folded: tuple[LabelledCrops, LabelledCrops],
    place: Place,
    keep: str | dict[str, int],
    schedule: str,
    cycles: int,
) -> None:
    """Of all epochs at a constant rate, else of the ends of cycles."""
    plain = run(average_of(task, "none", keep, schedule, cycles), folded, place).snapshots
    averaged = run(average_of(task, "swa", keep, schedule, cycles), folded, place).snapshots
    name = next(name for name in plain[0] if name.endswith("weight"))
    assert torch.allclose(averaged[0][name], plain[0][name])
    mean = torch.stack([weights[name] for weights in plain]).mean(0)
    assert torch.allclose(averaged[1][name], mean)
    assert not torch.allclose(mean, plain[1][name])


def test_a_falling_rate_adds_nothing_to_a_stochastic_average_before_its_end(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    task = average_of(task, "none", "cycle_ends", "cosine")
    # A single cycle leaves nothing to average: parameters refuse it.
    phase = task.phases[0].model_copy(update={"averaging": "swa"})
    tasks = [task, replace(task, phases=[phase])]
    plain, averaged = (run(each, folded, place).snapshots for each in tasks)
    name = next(name for name in plain[0] if name.endswith("weight"))
    assert torch.allclose(averaged[0][name], plain[0][name])


def test_a_checkpoint_of_another_task_is_not_used(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    one = run(task, folded, place)
    other = run(replace(task, seed=8), folded, place)
    assert one.checkpoint != other.checkpoint
    learned, held_out = folded
    changed = learned.masks.copy()
    changed[0, 0, 0] ^= True
    third = run(task, (replace(learned, masks=changed), held_out), place)
    assert third.checkpoint not in (one.checkpoint, other.checkpoint)


def test_a_finished_training_is_not_done_again(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    learned, held_out = folded
    sets = TrainingSets(learned, held_out, pseudolabels=held_out)
    once = train(task, sets, place, silent)
    images = learned.images.view(FailingImages)
    images.left = 0
    again = replace(sets, train=replace(learned, images=images))
    assert same(once, train(task, again, place, silent))


def test_the_held_out_fold_is_scored_now_and_then_and_where_a_cycle_ends(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place, tmp_path: Path
) -> None:
    """It changes nothing but the history."""
    phase = make_phase(cycles=2, epochs=5, learning_rate=0.002)
    task = replace(task, phases=[phase])
    rarely = replace(task, training=task.training.model_copy(update={"score_every": 3}))
    every, some = run(task, folded, place), run(rarely, folded, place)
    assert all(map(same_weights, every.snapshots, some.snapshots))
    scored = [record.epoch for record in some.history if record.validation_score is not None]
    assert scored == [2, 4, 5, 8, 9]
    assert [some.history[epoch] for epoch in scored] == [every.history[epoch] for epoch in scored]
    assert final_metrics(some.history) == final_metrics(every.history)
    write_history(tmp_path / "history.csv", some.history)
    written = pd.read_csv(tmp_path / "history.csv")
    assert written.columns.tolist() == [*every.history[0].row()]
    assert written["validation_score"].notna().tolist() == [at in scored for at in range(10)]


def test_a_training_starts_from_given_weights(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    still = replace(task, phases=[make_phase("constant", learning_rate=1e-12)])
    (given,) = run(replace(still, seed=8), folded, place).snapshots
    learned, held_out = folded
    sets = TrainingSets(learned, held_out)
    one, two = (train(still, sets, place, silent, start) for start in (given, None))
    assert one.checkpoint != two.checkpoint
    assert same_weights(one.snapshots[0], given) and not same_weights(two.snapshots[0], given)


def test_a_phase_of_another_size_goes_on_to_the_same_bytes(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    """Two epochs of three batches at 120 px, then one at the size of the definition."""
    task = padded(task)
    training = task.training.model_copy(update={"batch_size": 4})
    last = make_phase(learning_rate=0.002)
    phases = [make_phase(keep="none", epochs=2, learning_rate=0.002, size=120), last]
    task = replace(task, training=training, phases=phases)
    learned, held_out = folded
    whole = run(task, folded, place)
    drop_checkpoint(whole.checkpoint)
    each_step = replace(place, runtime=place.runtime.model_copy(update={"save_seconds": 0}))
    for steps in (4, 3):
        images = learned.images.view(FailingImages)
        images.left = steps
        torch.manual_seed(0)
        with pytest.raises(InterruptedTrainingError):
            train(task, TrainingSets(replace(learned, images=images), held_out), each_step, silent)
    assert same(whole, run(task, folded, each_step))


def test_a_phase_of_another_size_trains_as_a_definition_of_that_size_would(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    task = padded(task)
    small = task.definition.input.model_copy(update={"size": 120})
    other = task.definition.model_copy(update={"input": small})
    last = make_phase(learning_rate=0.002)
    both = [make_phase(keep="none", learning_rate=0.002, size=120), last]
    mixed = run(replace(task, phases=both), folded, place)
    plain = [both[0].model_copy(update={"input": None}), last]
    whole = run(replace(task, definition=other, phases=plain), folded, place)
    assert mixed.history[0] == whole.history[0] and mixed.history[1] != whole.history[1]
    # Upsampling of this network fits sizes that are halved with the same remainders.
    refused = [make_phase(keep="none", size=112), last]
    with pytest.raises(InputError, match=r"train_per_fold\.phases\.0: the network does not accept"):
        run(replace(task, phases=refused), folded, place)


def same_weights(one: Weights, two: Weights) -> bool:
    return all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)


def test_a_damaged_checkpoint_starts_the_training_again(
    task: Task,
    folded: tuple[LabelledCrops, LabelledCrops],
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = run(task, folded, place)
    for path in one.checkpoint.iterdir():
        path.write_bytes(path.read_bytes()[:1000])
    assert same(one, run(task, folded, place))
    assert "damaged checkpoint set aside" in capsys.readouterr().err


def test_each_cycle_leaves_its_own_snapshot_and_the_end_is_told(
    task: Task,
    folded: tuple[LabelledCrops, LabelledCrops],
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trained = run(task, folded, place, pseudo=8)
    first, second = trained.snapshots
    assert any(not torch.equal(first[name], second[name]) for name in first)
    assert [line.snapshot for line in trained.history] == [False, True, True]
    assert [line.phase for line in trained.history] == [0, 1, 2]
    *epochs, end = capsys.readouterr().err.splitlines()
    assert [line.partition(": loss ")[0] for line in epochs] == [
        f"test: epoch {number} of 3" for number in (1, 2, 3)
    ]
    assert end.startswith("test: 5 done in ")  # batches


def test_a_training_that_diverges_says_which_rate_to_lower(
    task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place
) -> None:
    wild = [make_phase(data=choice_name(phase.data), learning_rate=1e30) for phase in task.phases]
    field = r"train_per_fold\.phases\.1\.schedule\.cosine\.learning_rate: 1e\+30"
    with pytest.raises(InputError, match=field):
        run(replace(task, phases=wild), folded, place)


def test_it_learns(task: Task, folded: tuple[LabelledCrops, LabelledCrops], place: Place) -> None:
    """Salt is where a crop is bright: a few epochs find that out."""
    learned, _ = folded
    columns = np.linspace(20, 80, len(learned))[:, None, None]
    masks = np.broadcast_to(np.arange(101) < columns, learned.images.shape)
    easy = LabelledCrops(np.where(masks, 220, 30).astype(np.uint8), masks, learned.depth)
    definition = task.definition.model_copy(update={"filters": 8, "dropout": 0.0})
    phase = make_phase(loss={"lovasz": 1.0}, epochs=12, learning_rate=0.005)
    settings = task.training.model_copy(update={"augmentation": "none", "batch_size": 2})
    task = replace(task, definition=definition, training=settings, phases=[phase])
    first, *_, last = run(task, (easy, easy), place).history
    assert last.loss < first.loss / 4
    assert last.validation_score is not None and last.validation_score > 0.95
