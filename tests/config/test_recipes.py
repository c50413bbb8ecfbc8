"""The recipes of conf/: each is a right configuration, and params.yaml is the default one."""

import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.config.params import Params, load_params
from saltseg.config.phases import Best
from saltseg.config.recipe_files import list_recipes
from saltseg.config.recipes import read_recipe, write_recipe
from saltseg.config.snapshot_counts import expected_snapshots
from saltseg.learning.schedules import batch_count
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from tests.conftest import PROJECT
from tests.helpers.phases import make_phase

DEFAULT = "demo"
"""The recipe whose composition params.yaml holds in git."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A folder with the project's recipes and pipeline."""
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    shutil.copy(PROJECT / "dvc.yaml", tmp_path)
    return Layout(tmp_path)


def composed(layout: Layout, recipe: str, *overrides: str) -> Params:
    write_recipe(layout, recipe, overrides)
    return load_params(layout.params)


def test_params_yaml_is_the_composition_of_the_default_recipe(layout: Layout) -> None:
    """Otherwise a plain `dvc exp run` would change it. `saltseg recipe demo` writes it again."""
    write_recipe(layout, DEFAULT)
    assert layout.params.read_bytes() == (PROJECT / "params.yaml").read_bytes()
    config = yaml.safe_load((PROJECT / "conf/config.yaml").read_text())
    assert {"recipe": DEFAULT} in config["defaults"]


@pytest.mark.parametrize("recipe", list_recipes(Layout(PROJECT)))
def test_every_recipe_composes_to_right_parameters(layout: Layout, recipe: str) -> None:
    composed(layout, recipe)


def test_a_definition_may_be_repeated_for_another_seed(layout: Layout) -> None:
    changes = ["+models.lite2_b=${models.lite2}", "train_per_fold.members=[lite2,lite2_b]"]
    models = composed(layout, "cpu", *changes).used_models
    assert [*models] == ["lite2", "lite2_b"] and models["lite2"] == models["lite2_b"]


@pytest.mark.parametrize("recipe", list_recipes(Layout(PROJECT)))
def test_every_recipe_says_what_it_is(recipe: str) -> None:
    lines = (PROJECT / f"conf/recipe/{recipe}.yaml").read_text().splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith("# ")


@pytest.mark.parametrize(
    ("recipe", "member"), [("class-unet", "class_unet"), ("class-resunet", "class_resunet")]
)
def test_the_class_report_s_networks_are_trained_on_four_fifths(recipe: str, member: str) -> None:
    params = read_recipe(Layout(PROJECT), recipe)
    assert params.train_per_fold.members == [member]
    assert params.fold_split.n_folds == 5 and params.train_per_fold.folds == [0]
    assert not params.pseudolabel.enabled


def test_the_first_place_learns_from_labels_first_and_keeps_four_snapshots() -> None:
    params = read_recipe(Layout(PROJECT), "place1")
    labels, crops = params.train_per_fold.phases
    assert (labels.data, labels.planned_epochs, labels.keep) == ("pseudolabels", 150, "none")
    assert (crops.data, crops.schedule.cycles, crops.schedule.epochs) == ("train", 4, 50)
    assert expected_snapshots(params.train_per_fold.phases) == 4
    assert [params.models[name].input.size for name in params.train_per_fold.members] == [224, 128]
    assert params.pseudolabel.enabled


def test_the_first_place_s_networks_have_their_own_trainings() -> None:
    """A recipe has one: the ResNet-34's for both, and the ResNeXt-50's for it alone."""
    both, alone = (read_recipe(Layout(PROJECT), name) for name in ("place1", "place1-resnext"))
    assert (both.training.optimizer.name, both.training.batch_size) == ("sgd", 64)
    assert (alone.training.optimizer.name, alone.training.batch_size) == ("rmsprop", 28)
    assert alone.train_per_fold.members == ["place1_resnext50"]
    assert alone.models == both.models
    losses = [set(phase.loss) for phase in alone.train_per_fold.phases]
    assert losses[0] == {"bce", "dice"} and losses[1:] == [{"lovasz_elu"}] * 3
    assert expected_snapshots(alone.train_per_fold.phases) == 4


def test_the_28th_place_weighs_its_last_ten_best_epochs() -> None:
    params = read_recipe(Layout(PROJECT), "place28")
    assert params.train_per_fold.phases[-1].keep == Best(best=10)
    assert expected_snapshots(params.train_per_fold.phases) == 10
    assert params.snapshot_ensemble.snapshot_decay < 1
    batches = batch_count(3200 * 9 // 10, params.training.batch_size)
    triangle = params.train_per_fold.phases[0].schedule.epochs * batches
    assert triangle == pytest.approx(2 * 1500, rel=0.02)


def test_an_override_wins_over_the_recipe(layout: Layout) -> None:
    params = composed(layout, "subset", "survey.train=61", "train_per_fold.members=[lite0]")
    assert params.survey.train == 61 and params.survey.test == 24
    assert params.train_per_fold.members == ["lite0"]


def test_fields_of_phases_are_overridden_by_their_path(layout: Layout) -> None:
    params = composed(
        layout,
        "demo",
        "train_per_fold.phases.1.schedule.cosine.epochs=5",
        "train_per_fold.phases.1.data={mixed: {share: 0.25}}",
        "train_per_fold.phases.1.averaging={ema: {decay: 0.99}}",
        "train_per_fold.phases.1.keep={last: 2}",
        "~train_per_fold.phases.2.schedule.cosine",
        "+train_per_fold.phases.2.schedule.constant={epochs: 3, learning_rate: 0.001}",
    )
    _, first, second = params.train_per_fold.phases
    expected = make_phase(
        data={"mixed": {"share": 0.25}},
        keep={"last": 2},
        averaging={"ema": {"decay": 0.99}},
        epochs=5,
        learning_rate=0.002,
    )
    assert first == expected
    constant = make_phase("constant", loss={"lovasz": 1.0}, epochs=3, learning_rate=0.001)
    assert second == constant


@pytest.mark.parametrize(
    ("recipe", "overrides", "said"),
    [
        ("demmo", [], "no demmo.yaml; use one of best, capstone-resunet, "),
        (
            "demo",
            ["survey.trane=3"],
            "no such parameter; did you mean survey.train?",
        ),
        ("demo", ["survey.train=many"], "recipe demo: survey.train: 'many' is not allowed"),
        ("demo", ["survey.train"], "survey.train"),
        (
            "demo",
            ["+train_per_fold.phases.2.schedule.constant={epochs: 3, learning_rate: 0.001}"],
            "recipe demo: train_per_fold.phases.2.schedule: {'cosine': ",
        ),
    ],
)
def test_what_cannot_be_is_named_and_leaves_params_yaml_alone(
    layout: Layout, recipe: str, overrides: list[str], said: str
) -> None:
    layout.params.write_text("as before")
    with pytest.raises(InputError) as raised:
        write_recipe(layout, recipe, overrides)
    assert said in str(raised.value) and "\n" not in str(raised.value)
    files = sorted(path.name for path in layout.root.iterdir() if path.is_file())
    assert files == ["dvc.yaml", "params.yaml"]
    assert layout.params.read_text() == "as before"


VALUES = ["dätä", "a=b", "(a", "[a", "{a", "a'b", "a;b", "a#b", "data!", 'a"b', "塩", "a&b"]


@pytest.mark.parametrize("value", VALUES)
def test_values_that_hydra_does_not_read_come_back_with_the_quotes_that_work(value: str) -> None:
    layout = Layout(PROJECT)
    with pytest.raises(
        InputError, match="the value needs quotes inside the shell's; write "
    ) as told:
        read_recipe(layout, DEFAULT, [f"ingest.raw_dir={value}"])
    assert "\n" not in str(told.value)
    (better,) = shlex.split(str(told.value).partition("; write ")[2])
    assert read_recipe(layout, DEFAULT, [better]).ingest.raw_dir == value


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("ingest.raw_dir=~/data", """write 'ingest.raw_dir="~/data"'"""),
        ('ingest.raw_dir="~/data"', "DVC knows no ~; write the home folder out"),
        (
            "ingest.raw_dir=a,b",
            """write 'ingest.raw_dir="a,b"' if it is one, or 'ingest.raw_dir=[""",
        ),
        ("ingest.raw_dir=a\nb", "remove what is not a letter or digit"),
        ("=3", "is not an override; write KEY=VALUE"),
        ("", "is not an override; write KEY=VALUE"),
        ("base.seed", "is not an override; write KEY=VALUE"),
        ("bäse.seed=3", "is not an override; write KEY=VALUE"),
        ("~", "is not an override; write KEY=VALUE"),
        ("--help", "is not an override; write KEY=VALUE"),
        ("base.seed=${base.seed}", "Recursive interpolation detected"),
    ],
)
def test_what_is_no_override_is_one_line(override: str, said: str) -> None:
    with pytest.raises(InputError) as told:
        read_recipe(Layout(PROJECT), DEFAULT, [override])
    assert said in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("override", ["recipe=cpu", "+recipe=cpu", "++recipe=cpu", "~recipe"])
@pytest.mark.parametrize("costs", [[], ["--costs"]])
def test_a_second_recipe_is_refused(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, override: str, costs: list[str]
) -> None:
    monkeypatch.chdir(layout.root)
    done = CliRunner().invoke(app, ["recipe", DEFAULT, "-S", override, *costs])
    assert done.exit_code == 1
    assert f"{shlex.quote(override)}: selects a recipe besides demo; give just one" in done.output
    assert not layout.params.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-S", "survey.train=3"], "need the NAME of a recipe"),
        (["--costs"], "need the NAME of a recipe"),
        (["--train", "200"], "need the NAME of a recipe"),
        (["demo", "--train", "200"], "set a parameter with -S"),
        (["demo", "--pseudolabels", "0", "-S", "survey.train=3"], "set a parameter with -S"),
    ],
)
def test_options_that_do_nothing_are_wrong_usage(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(layout.root)
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, ["recipe", *options])
    assert done.exit_code == 2 and said in done.output
    assert not layout.params.exists()


def test_the_command_lists_and_writes(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(layout.root)
    listed = CliRunner().invoke(app, ["recipe"])
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == list(list_recipes(layout))
    written = CliRunner().invoke(app, ["recipe", "demo", "-S", "base.seed=7"])
    assert (written.exit_code, written.output) == (0, "params.yaml: recipe demo\n")
    assert load_params(layout.params).base.seed == 7
