"""The recipes of conf/: each is a right configuration, and params.yaml is the default one."""

import shutil
from pathlib import Path

import pytest
import yaml

from saltseg.errors import InputError
from saltseg.layout import Layout
from saltseg.params import Params, load_params
from saltseg.recipes import DEFAULT, list_recipes, write_recipe
from tests.conftest import PROJECT


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A folder with the project's recipes."""
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    return Layout(tmp_path)


def composed(layout: Layout, recipe: str, *overrides: str) -> Params:
    write_recipe(layout, recipe, overrides)
    return load_params(layout.params)


def test_params_yaml_is_the_composition_of_the_default_recipe(layout: Layout) -> None:
    """Otherwise a plain `dvc exp run` would change it. `saltseg recipe demo` writes it anew."""
    write_recipe(layout, DEFAULT)
    assert layout.params.read_bytes() == (PROJECT / "params.yaml").read_bytes()
    config = yaml.safe_load((PROJECT / "conf/config.yaml").read_text())
    assert {"recipe": DEFAULT} in config["defaults"]


@pytest.mark.parametrize("recipe", list_recipes(Layout(PROJECT)))
def test_every_recipe_composes_to_right_parameters(layout: Layout, recipe: str) -> None:
    composed(layout, recipe)


@pytest.mark.parametrize("recipe", list_recipes(Layout(PROJECT)))
def test_every_recipe_says_what_it_is(recipe: str) -> None:
    lines = (PROJECT / f"conf/recipe/{recipe}.yaml").read_text().splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith("# ")


def test_the_class_report_s_network_is_trained_on_four_fifths(layout: Layout) -> None:
    params = composed(layout, "class-unet")
    assert params.train_per_fold.members == ["class_unet"]
    assert params.fold_split.n_folds == 5 and params.train_per_fold.folds == [0]
    assert not params.pseudolabel.enabled


def test_an_override_wins_over_the_recipe(layout: Layout) -> None:
    params = composed(layout, "subset", "survey.train=61", "train_per_fold.members=[lite0]")
    assert params.survey.train == 61 and params.survey.test == 24
    assert params.train_per_fold.members == ["lite0"]


@pytest.mark.parametrize(
    ("recipe", "overrides", "said"),
    [
        ("demmo", [], "no demmo.yaml; name one of class-unet, demo, "),
        ("demo", ["survey.trane=3"], "Could not override 'survey.trane'"),
        ("demo", ["survey.train=many"], "recipe demo: survey.train: 'many' is not allowed"),
        ("demo", ["survey.train"], "survey.train"),
    ],
)
def test_what_cannot_be_is_named_and_leaves_params_yaml_alone(
    layout: Layout, recipe: str, overrides: list[str], said: str
) -> None:
    layout.params.write_text("as before")
    with pytest.raises(InputError) as raised:
        write_recipe(layout, recipe, overrides)
    assert said in str(raised.value) and "\n" not in str(raised.value)
    assert [path.name for path in layout.root.iterdir() if path.is_file()] == ["params.yaml"]
    assert layout.params.read_text() == "as before"
