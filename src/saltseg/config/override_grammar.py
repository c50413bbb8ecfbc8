"""Hydra's grammar of overrides, and how to write what it does not take as it stands."""

import re
import shlex
from collections.abc import Iterable

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from saltseg.plumbing.errors import InputError

_KEY = re.compile(r"\+{0,2}[A-Za-z_][\w./@-]*", re.ASCII)
_RECIPE = re.compile(r"[+~]*recipe(@[^=]*)?(=|$)")


def check_overrides(overrides: Iterable[str], several: bool = False) -> None:
    """Raise InputError, with the quotes that help, for the first override that is none.

    several: whether KEY=A,B is allowed.
    """
    for text in overrides:
        found = _parsed(text)
        key, equals, value = text.partition("=")
        if found is None and equals and _KEY.fullmatch(key):
            raise InputError(
                f"{_shown(text)}: the value needs quotes within the shell's; {_remedy(key, value)}"
            )
        if found is None or not found.key_or_group:
            raise InputError(f"{_shown(text)}: is no override; give KEY=VALUE")
        if found.is_sweep_override() and not several:
            raise InputError(
                f"{_shown(text)}: names several values; {_remedy(key, value)} if it is one,"
                f" or {shlex.quote(f'{key}=[{value}]')} if it is a list"
            )


def check_one_recipe(name: str, overrides: Iterable[str]) -> None:
    """Raise InputError where an override names a recipe beside `name`."""
    for text in overrides:
        if _RECIPE.match(text):
            raise InputError(
                f"{_shown(text)}: names another recipe than {name}; name one as the"
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
    """Say how to write a value, in quotes that were tried."""
    inner = value.strip("\"'")
    for quote in "\"'":
        better = f"{key}={quote}{inner}{quote}"
        found = _parsed(better) if quote not in inner and inner.isprintable() else None
        if found is not None and found.value() == inner:
            return f"write {shlex.quote(better)}"
    return "take out what is no letter or digit"
