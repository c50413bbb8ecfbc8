"""`saltseg recipe` and `saltseg sync`."""

from pathlib import Path
from typing import Annotated

import typer

from saltseg.config.crop_counts import PSEUDOLABELS, TRAIN
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout, check_project


def _complete(start: str) -> list[tuple[str, str]]:
    """Return the recipes that begin with `start`, for the shell's completion."""
    from saltseg.config.recipe_files import list_recipes

    return [each for each in list_recipes(Layout(Path())).items() if each[0].startswith(start)]


Name = Annotated[
    str | None,
    typer.Argument(help="The recipe; without one, all are listed.", autocompletion=_complete),
]
Override = Annotated[
    list[str] | None, typer.Option("-S", "--set-param", help="KEY=VALUE, as in `dvc exp run -S`.")
]
Costs = Annotated[
    bool, typer.Option("--costs", help="Show what its training costs, and write nothing.")
]
TrainCrops = Annotated[
    int | None,
    typer.Option(min=2, show_default=str(TRAIN), help="Number of training crops for --costs."),
]
PseudoLabels = Annotated[
    int | None,
    typer.Option(
        min=0,
        show_default=str(PSEUDOLABELS),
        help="Number of pseudo-labelled crops per fold for --costs.",
    ),
]


def recipe(
    name: Name = None,
    override: Override = None,
    costs: Costs = False,
    train: TrainCrops = None,
    pseudolabels: PseudoLabels = None,
) -> None:
    """Write the parameters of a recipe to params.yaml, for `dvc repro` or `saltseg train`."""
    counted = train is not None or pseudolabels is not None
    if name is None and (override or costs or counted):
        raise typer.BadParameter(
            "-S, --costs, --train and --pseudolabels need the NAME of a recipe"
        )
    if counted and not costs:
        raise typer.BadParameter(
            "--train and --pseudolabels are for --costs: add it, or set a parameter with -S"
        )
    with one_line_errors():
        check_project(Path())
        if name is None:
            _list()
            return
        from saltseg.config.override_grammar import check_one_recipe

        check_one_recipe(name, override or [])
        if costs:
            _say_costs(name, override or [], train, pseudolabels)
        else:
            _write(name, override or [])


def _list() -> None:
    from saltseg.config.recipe_files import list_recipes

    for name, purpose in list_recipes(Layout(Path())).items():
        print(f"{name:16}  {purpose}")


def _say_costs(
    name: str, overrides: list[str], train: int | None, pseudolabels: int | None
) -> None:
    from saltseg.config.recipes import read_recipe
    from saltseg.learning.costs import describe_costs, recipe_costs

    params = read_recipe(Layout(Path()), name, overrides)
    crops = TRAIN if train is None else train
    labels = PSEUDOLABELS if pseudolabels is None else pseudolabels
    print(describe_costs(recipe_costs(params, crops, labels)))


def _write(name: str, overrides: list[str]) -> None:
    from saltseg.config.recipes import write_recipe

    layout = Layout(Path())
    write_recipe(layout, name, overrides)
    print(f"{layout.params}: recipe {name}")


def sync() -> None:
    """Create the missing MLflow runs of DVC experiments that came entirely from the cache."""
    from saltseg.tracking.experiments import sync_experiments

    with one_line_errors():
        made, known = sync_experiments(Path())
    print(f"{len(known)} experiments in DVC, {len(made)} new in MLflow: {', '.join(made) or '-'}")
