"""Recipes: complete configurations that Hydra composes from conf/, as `dvc exp run` does."""

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import yaml
from dvc.exceptions import DvcException
from dvc.utils.hydra import compose_and_dump
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from saltseg.config.override_grammar import check_names, check_overrides
from saltseg.config.parameter_names import parameter_names
from saltseg.config.params import Params, parse_params
from saltseg.config.recipe_files import list_recipes
from saltseg.config.yaml_content import read_yaml
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import whole_file
from saltseg.plumbing.layout import Layout

REFUSALS = (DvcException, HydraException, OmegaConfBaseException, yaml.YAMLError, TypeError)
"""What Hydra, and DVC around it, raise for invalid overrides."""


def write_recipe(layout: Layout, recipe: str, overrides: Sequence[str] = ()) -> None:
    """Compose `recipe`, check it, and write it to params.yaml byte for byte as DVC would.

    overrides: KEY=VALUE, as for `dvc exp run -S`.
    Raises InputError for an unknown recipe, an invalid override, or a wrong value.
    """
    _check_known(layout, recipe)
    with whole_file(layout.params) as temporary:
        _compose(layout, temporary, recipe, overrides)


def read_recipe(layout: Layout, recipe: str, overrides: Sequence[str] = ()) -> Params:
    """Return the parameters of `recipe` without touching params.yaml; see write_recipe."""
    _check_known(layout, recipe)
    with tempfile.TemporaryDirectory() as folder:
        return _compose(layout, Path(folder) / layout.params.name, recipe, overrides)


def _check_known(layout: Layout, recipe: str) -> None:
    known = list_recipes(layout)
    if recipe not in known:
        raise InputError(f"{layout.recipes}: no {recipe}.yaml; use one of {', '.join(known)}")


def _compose(layout: Layout, output: Path, recipe: str, overrides: Sequence[str]) -> Params:
    """Compose `recipe`, write it to `output`, and return it, checked."""
    check_overrides(overrides)
    try:
        _dump(layout, output, [f"recipe={recipe}", *overrides])
    except REFUSALS as error:
        with suppress(*REFUSALS):  # the recipe itself may be what Hydra refuses
            _dump(layout, output, [f"recipe={recipe}"])
            check_names(overrides, {*parameter_names(read_yaml(output))})
        raise InputError(f"{layout.recipes.parent}: {' '.join(str(error).split())}") from error
    return parse_params(read_yaml(output), f"recipe {recipe}")


def _dump(layout: Layout, output: Path, chosen: list[str]) -> None:
    folder = str(layout.recipes.parent.resolve())
    compose_and_dump(str(output), folder, None, "config", str(layout.root), chosen)
