"""`saltseg recipe` and `sync`: what to run, and what was run."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from saltseg.errors import one_line_errors


def recipe(
    name: Annotated[
        str | None, typer.Argument(help="The recipe; without it, all are named.")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("-S", help="KEY=VALUE, as in `dvc exp run -S`.")
    ] = None,
    costs: Annotated[
        bool, typer.Option("--costs", help="Write nothing; say what its training costs.")
    ] = False,
    train: Annotated[
        int, typer.Option(min=2, help="Training crops that --costs counts with.")
    ] = 4000,
    pseudolabels: Annotated[
        int,
        typer.Option(
            min=0, help="Test crops that a teacher labels for a fold; the 1st place's number."
        ),
    ] = 15_493,
) -> None:
    """Write the parameters of a recipe to params.yaml, for `dvc repro` or `saltseg train`."""
    from saltseg.layout import Layout
    from saltseg.recipes import list_recipes, read_recipe, write_recipe

    layout = Layout(Path())
    if costs and name is None:
        raise typer.BadParameter("--costs needs the NAME of a recipe")
    with one_line_errors():
        if name is not None and costs:
            from saltseg.costs import describe_costs, recipe_costs

            params = read_recipe(layout, name, override or [])
            print(describe_costs(recipe_costs(params, train, pseudolabels)))
            return
        if name is not None:
            write_recipe(layout, name, override or [])
            print(f"{layout.params}: recipe {name}")
            return
        for each, purpose in list_recipes(layout).items():
            print(f"{each:16}  {purpose}")


def sync() -> None:
    """Give MLflow a row for each DVC experiment that it lacks: those made wholly from the cache."""
    from saltseg.tracking.experiments import sync_experiments

    logging.disable(logging.INFO)  # a new database's tables are nobody's news
    with one_line_errors():
        made, known = sync_experiments(Path())
    print(f"{len(known)} experiments in DVC, {len(made)} new in MLflow: {', '.join(made) or '-'}")
