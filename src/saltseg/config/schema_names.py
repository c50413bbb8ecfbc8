"""Names of parameters that the schema knows, whether params.yaml lists them or not."""

from collections.abc import Collection, Sequence
from typing import get_args, get_origin

from pydantic import BaseModel

from saltseg.config.params import Params


def is_in_schema(name: str, known: Collection[str]) -> bool:
    """Return whether a dotted name is a field, of entries that exist where entries have own names.

    known: the paths of all parameters that params.yaml lists.
    """
    return _is_field(Params, name.split("."), 0, known)


def _is_field(annotation: object, parts: Sequence[str], at: int, known: Collection[str]) -> bool:
    """Return whether the parts from `at` on lead to a field below a type."""
    if at == len(parts):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(parts[at])
        return field is not None and _is_field(field.annotation, parts, at + 1, known)
    inner = get_args(annotation)
    if get_origin(annotation) in (list, dict):
        listed = ".".join(parts[: at + 1]) in known
        return listed and _is_field(inner[-1], parts, at + 1, known)
    return any(_is_field(each, parts, at, known) for each in inner)
