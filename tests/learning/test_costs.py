"""What the recipes cost, and that their networks are those of their sources."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.config.model_definitions import ModelDefinition, UnetModel
from saltseg.config.params import Params
from saltseg.config.recipe_files import list_recipes
from saltseg.config.recipes import read_recipe
from saltseg.learning.costs import (
    Cost,
    describe_costs,
    epoch_costs,
    network_size,
    petaflop,
    recipe_costs,
)
from saltseg.models import create_model
from saltseg.plumbing.layout import Layout
from tests.conftest import PROJECT
from tests.helpers.model_definitions import define_input, define_plain_cnn, define_unet

RECIPES = list_recipes(Layout(PROJECT))


def costs_of(params: Params) -> list[Cost]:
    return recipe_costs(params, train_crops=4000, pseudolabels=15_493)


@cache
def costs(recipe: str) -> list[Cost]:
    """Costs as the command counts them; creates every network of the recipe."""
    return costs_of(read_recipe(Layout(PROJECT), recipe))


def test_operations_are_those_of_the_description() -> None:
    definition = define_plain_cnn(filters=8, layers=3, input=define_input())
    multiplied = 9 * 8 + 2 * 9 * 8 * 8 + 8
    assert network_size(definition) == (
        9 * 8 + 8 + 2 * (9 * 8 * 8 + 8) + 9,
        2 * multiplied * 101**2,
    )


def test_operations_are_counted_at_the_size_of_the_input() -> None:
    small, large = (
        network_size(define_unet(input=define_input(fit="resize", size=size))) for size in (64, 128)
    )
    assert small[0] == large[0]
    assert large[1] == pytest.approx(4 * small[1], rel=0.001)


def test_crops_are_counted_as_often_as_they_come() -> None:
    [cost] = costs("capstone-unet")
    assert (cost.role, cost.crops, cost.folds) == ("member", 200 * 3200, 1)
    assert cost.training == 3 * cost.operations * 640_000
    teacher, *members = costs("place1")
    assert teacher.crops == 200 * 3200
    assert [member.crops for member in members] == [200 * 3200 + 150 * 15_493] * 2
    assert teacher.crops * teacher.folds == 5 * 200 * 3200


def test_what_is_watched_is_not_learned_from() -> None:
    [cost] = costs("class-unet")
    assert cost.crops == 100 * 3200 * 9 // 10
    [cost] = costs("place28")
    assert cost.crops == (4 + 22) * 21 * 3200 * 9 // 10


def test_phases_on_pseudo_labels_cost_nothing_without_a_teacher() -> None:
    params = read_recipe(Layout(PROJECT), "place1", ["pseudolabel.enabled=false"])
    assert [(cost.role, cost.crops) for cost in costs_of(params)] == [("member", 200 * 3200)] * 2


def test_a_network_of_all_folds_sees_all_crops() -> None:
    overrides = ["train_per_fold.folds=[0,1,all]", "fold_split.n_folds=5"]
    params = read_recipe(Layout(PROJECT), "cpu", overrides)
    without, every = costs_of(params)
    assert [(each.role, each.folds) for each in (without, every)] == [
        ("member", 2),
        ("member, all folds", 1),
    ]
    assert (without.crops, every.crops) == (44 * 3200, 44 * 4000)
    total = sum(cost.training for cost in (without, every))
    epochs = {("train_per_fold", 0): 12, ("train_per_fold", 1): 8}
    found = epoch_costs(params, 4000, 0)
    assert sum(found[name] * count for name, count in epochs.items()) == total


def test_a_phase_of_another_size_costs_what_that_size_does() -> None:
    recipe = read_recipe(Layout(PROJECT), "cpu")
    at_112 = ["+train_per_fold.phases.0.input={resized: 0, size: 112}"]
    params = read_recipe(Layout(PROJECT), "cpu", at_112)
    smaller = read_recipe(Layout(PROJECT), "cpu", ["models.lite2.input.size=112"])
    ((before,), (mixed,), (small,)) = map(costs_of, (recipe, params, smaller))
    share = 12 / 44  # of the epochs
    expected = share * small.training + (1 - share) * before.training
    assert mixed.training == pytest.approx(expected, rel=1e-9)
    assert small.training < mixed.training < before.training
    found = epoch_costs(params, 4000, 15_493)
    assert 12 * found["train_per_fold", 0] + 8 * found["train_per_fold", 1] == mixed.training
    assert mixed.operations == before.operations


def test_rounds_and_mixed_batches_are_counted() -> None:
    overrides = ["pseudolabel.rounds=3", "training.batch_size=20"]
    for phases in ("pseudolabel.phases", "train_per_fold.phases"):
        schedule = "{constant: {cycles: 2, epochs: 5, learning_rate: 0.1}}"
        rest = f"loss: {{bce: 1}}, schedule: {schedule}, keep: cycle_ends"
        overrides.append(f"{phases}=[{{data: {{mixed: {{share: 0.2}}}}, {rest}}}]")
    params = read_recipe(Layout(PROJECT), "demo", overrides)
    teacher, member = costs_of(params)
    alone, mixed = 2000, 2000 + 4 * 125  # 16 of the 2,000 in each batch
    assert (teacher.crops, member.crops) == (10 * (alone + 2 * mixed), 10 * mixed)


def test_a_pool_is_seen_whole() -> None:
    schedule = "{constant: {cycles: 2, epochs: 5, learning_rate: 0.1}}"
    phases = f"[{{data: pooled, loss: {{bce: 1}}, schedule: {schedule}, keep: cycle_ends}}]"
    member = costs_of(read_recipe(Layout(PROJECT), "demo", [f"train_per_fold.phases={phases}"]))[1]
    assert member.crops == 10 * (2000 + 15_493)


def encoder(definition: UnetModel) -> int:
    with torch.device("meta"):
        network = create_model(definition, seed=0, weights=None)
    encoder_itself = network.get_submodule("body.encoder")
    return sum(parameter.numel() for parameter in encoder_itself.parameters())


PUBLISHED = {
    "resnet34": 21_797_672,
    "resnext50_32x4d": 25_028_904,
    "se_resnext50_32x4d": 27_559_896,
    "senet154": 115_088_984,
}
"""Parameters of the encoders of places 1, 28 and 9 as published, for colours and 1,000 classes."""


REPRODUCED = {
    "class-unet": 2_158_417,
    "class-resunet": 5_111_025,
    "capstone-unet": 2_158_417,
    "capstone-resunet": 5_112_497,
    "place15": 1_867_043,
}
"""Parameters as tests/models/test_parameter_counts.py adds them up; the 15th's are of 7.6 MB."""


@pytest.mark.parametrize("recipe", REPRODUCED)
def test_networks_are_those_of_the_descriptions(recipe: str) -> None:
    assert [cost.parameters for cost in costs(recipe)] == [REPRODUCED[recipe]]


@pytest.mark.parametrize("name", PUBLISHED)
def test_encoders_are_those_of_the_papers(name: str) -> None:
    definition = define_unet(encoder=name, input=define_input(channels=["image"] * 3))
    assert isinstance(definition, UnetModel)
    deepest = 512 if name == "resnet34" else 2048
    assert encoder(definition) + 1000 * (deepest + 1) == PUBLISHED[name]


def gigaflop(definition: ModelDefinition, **changes: object) -> float:
    return network_size(definition.model_copy(update=changes))[1] / 1e9


def test_the_first_place_s_resnet_works_at_full_size() -> None:
    """Its stem alone, 3x3 of stride one without pooling, makes 15.9 GFLOP 55.9 in smp's decoder.

    The published decoder is lighter. Of the encoder, 37 GFLOP are the four stages.
    """
    definition = read_recipe(Layout(PROJECT), "place1").models["place1_resnet34"]
    assert isinstance(definition, UnetModel)
    heavy = {"decoder": "upsampled", "decoder_channels": [256, 128, 64, 32, 16]}
    changes: dict[str, Any] = {**heavy, "head_channels": None, "encoder_scse": False}
    changes["input"] = definition.input.model_copy(update={"channels": ["image"]})
    assert gigaflop(definition, **changes) == pytest.approx(55.9, abs=0.05)
    changes["stem"] = definition.stem.model_copy(update={"stride": "own"})
    assert gigaflop(definition, **changes) == pytest.approx(15.9, abs=0.05)
    convolutions = 6 + 7.5 + 11.5 + 5.5 + 3 / 18  # in units of one in the first stage
    stages = 2 * 64**2 * 9 * (128**2 / 1e9) * convolutions
    pyramid = 2 * (25 * 512 * 768 * 64 + 9 * 512 * 768 * 16 + 512 * 256 * 256) / 1e9
    hypercolumn = 2 * 9 * 256 * 32 * 128**2 / 1e9
    assert gigaflop(definition) == pytest.approx(stages + pyramid + hypercolumn, rel=0.02)


def test_the_command_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("conf", "dvc.yaml"):
        (tmp_path / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(tmp_path)
    call = ["recipe", "class-unet", "--costs", "--train", "400", "-S", "fold_split.n_folds=4"]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0
    assert re.search(r"^member  class_unet +2,158,417 +0\.95 +27,000 ", done.output, re.MULTILINE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conf", "dvc.yaml"]


@pytest.mark.parametrize("recipe", sorted(set(RECIPES) - {"subset"}))
def test_the_table_of_the_recipes_says_what_the_command_says(recipe: str) -> None:
    page = (PROJECT / "docs/recipes.md").read_text()
    [row] = [line for line in page.splitlines() if line.startswith(f"| `{recipe}` |")]
    cells = [cell.strip() for cell in row.split("|")]
    members = [cost for cost in costs(recipe) if cost.role == "member"]
    total = sum(cost.training for cost in costs(recipe))
    assert " + ".join(f"{cost.parameters / 1e6:.2f}" for cost in members) in cells
    assert " + ".join(f"{cost.operations / 1e9:.2f}" for cost in members) in cells
    assert f"{sum(cost.crops * cost.folds for cost in costs(recipe)) / 1e6:.2f}" in cells
    assert petaflop(total) in cells


def test_costs_are_summed_up() -> None:
    text = describe_costs(costs("demo"))
    total = sum(cost.training for cost in costs("demo"))
    assert text.splitlines()[-1].split() == ["in", "all", petaflop(total)]
    assert len({len(line) for line in text.splitlines()}) == 1  # numbers stand to the right
