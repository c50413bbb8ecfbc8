"""Options of a command that are the fields of a dataclass, declared once for all commands."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any

from saltseg.plumbing.errors import one_line_errors


def record_options(
    parameter: str, record: type[Any], options: Mapping[str, object]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a command's parameter by one option for each field of its dataclass.

    parameter: the command's parameter of type `record`. options: Typer's annotated type of each
    field that has an option; the others keep their defaults. Raises ValueError for an option
    that is no field. The record's InputErrors are printed as one line.
    """
    defaults = {field.name: field.default for field in fields(record)}
    if unknown := options.keys() - defaults.keys():
        raise ValueError(f"{record.__name__} has no {', '.join(sorted(unknown))}")

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        added = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults[name],
                annotation=annotation,
            )
            for name, annotation in options.items()
        ]

        @wraps(command)
        def spread(**given: object) -> None:
            with one_line_errors():
                values = {name: given.pop(name) for name in options}
                command(**given, **{parameter: record(**values)})

        kept = [each for name, each in signature.parameters.items() if name != parameter]
        kept = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in kept]
        spread.__signature__ = signature.replace(parameters=kept + added)  # type: ignore[attr-defined]
        spread.__annotations__ = {each.name: each.annotation for each in kept + added}
        return spread

    return decorate
