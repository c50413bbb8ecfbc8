"""Which recipe parameters come from: params.yaml, which Hydra composes, does not say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saltseg.config.recipe_files import list_recipes
from saltseg.config.recipes import read_recipe
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.flat import flat_params
from saltseg.plumbing.layout import Layout

_MACHINE = ("runtime.", "base.seed")
"""Parameters that do not tell a recipe from another."""


@dataclass(frozen=True)
class NearestRecipe:
    """The recipe that differs in the fewest parameters, and these: their values by name."""

    name: str
    changes: dict[str, str]

    def __str__(self) -> str:
        """Return, for example, "cpu with fold_split.n_folds=5"."""
        if not self.changes:
            return self.name
        changed = [f"{name}={value}" for name, value in self.changes.items()]
        return f"{self.name} with {first_few(changed, 3)}"


def nearest_recipe(layout: Layout, content: Mapping[str, Any]) -> NearestRecipe | None:
    """Return the recipe of the project that `content`, of params.yaml, is nearest to.

    Seed and runtime do not count. Of equally near recipes the first by name is taken. Returns None
    for a project without recipes that can be composed.
    """
    given = _telling(content)
    found = []
    for name in list_recipes(layout):
        try:
            known = _telling(read_recipe(layout, name).model_dump(mode="json"))
        except InputError:
            continue
        changes = {
            each: given.get(each, "none")
            for each in {**given, **known}
            if given.get(each) != known.get(each)
        }
        found.append(NearestRecipe(name, changes))
    return min(found, key=lambda each: len(each.changes), default=None)


def _telling(content: Mapping[str, Any]) -> dict[str, str]:
    flat = flat_params(dict(content))
    return {name: value for name, value in flat.items() if not name.startswith(_MACHINE)}
