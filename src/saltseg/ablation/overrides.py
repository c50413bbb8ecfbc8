"""Overrides in Hydra's grammar: parsing changes and composing their parameters."""

import shutil
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from dvc.utils.hydra import apply_overrides, get_hydra_sweeps

from saltseg.config.override_grammar import check_names, check_overrides
from saltseg.config.parameter_names import parameter_names
from saltseg.config.params import Params, parse_params
from saltseg.config.recipes import REFUSALS, read_recipe, write_recipe
from saltseg.config.yaml_content import read_yaml
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout

PRESENT = "params.yaml"
"""The name of the current parameters, in place of a recipe's."""

_JOINT = " & "
"""Joins overrides that make one change together."""


def split_values(override: str) -> list[str]:
    """Return the changes KEY=A and KEY=B of an override KEY=A,B.

    Commas in brackets, braces and quotes do not separate values. Overrides joined by " & " belong
    together: KEY=A,B & OTHER=C gives two changes. Raises InputError if it is not an override.
    """
    parts = [_split_single(part.strip()) for part in override.split(_JOINT)]
    return [_JOINT.join(chosen) for chosen in product(*parts)]


def overrides_of(change: str) -> list[str]:
    """Return the single overrides of a change, each as for `dvc exp run -S`."""
    return change.split(_JOINT) if change else []


def read_base(layout: Layout, base: str, overrides: Sequence[str]) -> Params:
    """Return the parameters of the recipe `base`, or the current ones (PRESENT), with `overrides`.

    Nothing is written to the project. Raises InputError for an unknown recipe, an invalid override
    or a wrong value.
    """
    if base != PRESENT:
        return read_recipe(layout, base, overrides)
    check_overrides(overrides)
    with TemporaryDirectory() as folder:
        copy = Path(folder, PRESENT)
        try:
            shutil.copyfile(layout.params, copy)
            apply_overrides(copy, list(overrides))
        except OSError as error:
            raise InputError(f"{layout.params}: cannot be read: {error.strerror}") from error
        except REFUSALS as error:
            check_names(overrides, {*parameter_names(read_yaml(layout.params))})
            reason = " ".join(str(error.__cause__ or error).split())
            raise InputError(f"{layout.params}: {reason}") from error
        content = read_yaml(copy)
    return parse_params(content, PRESENT)


def write_base(layout: Layout, base: str, overrides: Sequence[str]) -> None:
    """Write what `read_base` has accepted to params.yaml, as `dvc exp run` would."""
    if base == PRESENT:
        apply_overrides(layout.params, list(overrides))
    else:
        write_recipe(layout, base, overrides)


def _split_single(override: str) -> list[str]:
    if override.startswith("~"):
        return [override]  # a key to remove, without a value
    check_overrides([override], several=True)
    try:
        sweeps = get_hydra_sweeps({PRESENT: [override]})
    except REFUSALS as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{override}: {reason}; give KEY=VALUE or KEY=VALUE,VALUE") from error
    return [_as_yaml(single) for sweep in sweeps for single in sweep[PRESENT]]


def _as_yaml(override: str) -> str:
    """Write a boolean as in params.yaml; Hydra prints it as Python does."""
    key, _, value = override.partition("=")
    return f"{key}={value.lower() if value in ('True', 'False') else value}"
