"""Recipes: whole configurations that Hydra composes from conf/, as `dvc exp run` does itself."""

from collections.abc import Sequence
from pathlib import Path

import yaml
from dvc.utils.hydra import compose_and_dump
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from saltseg.errors import InputError
from saltseg.files import whole_file
from saltseg.layout import Layout
from saltseg.params import parse_params

DEFAULT = "demo"
"""The recipe whose composition params.yaml holds in git."""


def list_recipes(layout: Layout) -> dict[str, str]:
    """Return the first comment line of each recipe, by name in alphabetical order."""
    return {path.stem: _purpose(path) for path in sorted(layout.recipes.glob("*.yaml"))}


def write_recipe(layout: Layout, recipe: str, overrides: Sequence[str] = ()) -> None:
    """Compose `recipe`, check it, and write it to params.yaml byte for byte as DVC would.

    overrides: as `dvc exp run -S` takes them, KEY=VALUE.
    Raises InputError for an unknown recipe, an override that cannot be, or a wrong value.
    """
    known = list_recipes(layout)
    if recipe not in known:
        raise InputError(f"{layout.recipes}: no {recipe}.yaml; name one of {', '.join(known)}")
    with whole_file(layout.params) as temporary:
        _compose(layout, temporary, [f"recipe={recipe}", *overrides])
        content = yaml.safe_load(temporary.read_text(encoding="utf-8"))
        parse_params(content, f"recipe {recipe}")


def _compose(layout: Layout, output: Path, overrides: list[str]) -> None:
    folder = str(layout.recipes.parent.resolve())
    try:
        compose_and_dump(str(output), folder, None, "config", str(layout.root), overrides)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise InputError(f"{layout.recipes.parent}: {' '.join(str(error).split())}") from error


def _purpose(path: Path) -> str:
    """Return the second line, the first that is for people, without its mark."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[1].removeprefix("# ") if len(lines) > 1 else ""
