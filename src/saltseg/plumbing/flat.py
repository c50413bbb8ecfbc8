"""Flattening nested parameters and metrics to dotted names, for MLflow."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def flat_params(content: dict[str, Any]) -> dict[str, str]:
    """Return every parameter by dotted path; a list of plain values is one parameter."""
    return {
        path: value if isinstance(value, str) else json.dumps(value)
        for path, value in _leaves(content, "")
    }


def below(flat: Mapping[str, str], paths: Iterable[str]) -> dict[str, str]:
    """Return the parameters at or below one of the dotted `paths`."""
    starts = tuple(f"{path}." for path in paths)
    return {name: value for name, value in flat.items() if f"{name}.".startswith(starts)}


def flat_metrics(content: dict[str, Any]) -> dict[str, float]:
    """Return every number by dotted path; other values are left out."""
    return {
        path: float(value) for path, value in _leaves(content, "") if isinstance(value, int | float)
    }


def _leaves(content: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(content, dict) and content:
        items: list[tuple[object, object]] = list(content.items())
    elif isinstance(content, list) and any(isinstance(each, dict | list) for each in content):
        items = list(enumerate(content))
    else:
        yield path, content
        return
    for key, value in items:
        yield from _leaves(value, f"{path}.{key}" if path else str(key))
