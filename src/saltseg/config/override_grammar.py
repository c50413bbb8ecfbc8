"""Checks of overrides against Hydra's grammar, with advice on quoting."""

import re
import shlex
from collections.abc import Collection, Iterable

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from saltseg.config.parameter_names import unknown_name
from saltseg.config.params import Params
from saltseg.config.schema_names import schema_names
from saltseg.plumbing.errors import InputError

_KEY = re.compile(r"\+{0,2}[A-Za-z_][\w./@-]*", re.ASCII)
_RECIPE = re.compile(r"[+~]*recipe(@[^=]*)?(=|$)")


def check_overrides(overrides: Iterable[str], several: bool = False) -> None:
    """Raise InputError for the first invalid override, and say how to quote it.

    several: whether KEY=A,B is allowed.
    """
    for text in overrides:
        found = _parsed(text)
        key, equals, value = text.partition("=")
        if found is None and equals and _KEY.fullmatch(key):
            raise InputError(
                f"{_shown(text)}: the value needs quotes inside the shell's; {_remedy(key, value)}"
            )
        if found is None or not found.key_or_group:
            raise InputError(f"{_shown(text)}: is not an override; write KEY=VALUE")
        if found.is_sweep_override() and not several:
            raise InputError(
                f"{_shown(text)}: names several values; {_remedy(key, value)} if it is one,"
                f" or {shlex.quote(f'{key}=[{value}]')} if it is a list"
            )


def check_names(overrides: Iterable[str], known: Collection[str]) -> None:
    """Raise InputError for the first override of a parameter that params.yaml does not list.

    overrides: valid ones. known: the paths of all parameters. An override that adds one with + is
    left to the check of the composed parameters.
    """
    for text in overrides:
        found = _parsed(text)
        if found is None or found.is_add() or found.is_force_add() or _RECIPE.match(text):
            continue
        name = found.key_or_group
        if name in known:
            continue
        possible = schema_names(Params, name, known)
        if name in possible:
            raise InputError(f"{name}: params.yaml does not list it yet; add it with +{name}=VALUE")
        raise InputError(unknown_name(name, {*known, *possible}))


def check_one_recipe(name: str, overrides: Iterable[str]) -> None:
    """Raise InputError if an override selects a recipe as well as `name`."""
    for text in overrides:
        if _RECIPE.match(text):
            raise InputError(
                f"{_shown(text)}: selects a recipe besides {name}; give just one, as the"
                " command's argument: saltseg recipe NAME"
            )


def _parsed(text: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException:
        return None


def _shown(text: str) -> str:
    return shlex.quote(text) if text.isprintable() else ascii(text)


def _remedy(key: str, value: str) -> str:
    """Say how to write a value, with quotes that were tested."""
    inner = value.strip("\"'")
    for quote in "\"'":
        better = f"{key}={quote}{inner}{quote}"
        found = _parsed(better) if quote not in inner and inner.isprintable() else None
        if found is not None and found.value() == inner:
            return f"write {shlex.quote(better)}"
    return "remove what is not a letter or digit"
