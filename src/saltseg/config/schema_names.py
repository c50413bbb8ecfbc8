"""Names of parameters that the schema knows, whether params.yaml lists them or not."""

from collections.abc import Collection, Sequence
from typing import get_args, get_origin

from pydantic import BaseModel


def schema_names(schema: type[BaseModel], name: str, known: Collection[str]) -> set[str]:
    """Return the dotted names of all fields of the section that a name is in, its own included.

    There are none where the section is none, or an entry that does not exist.
    schema: of the whole of params.yaml. known: the paths of all parameters that it lists.
    """
    section = name.split(".")[:-1]
    return {".".join([*section, field]) for field in _fields(schema, section, 0, known)}


def _fields(annotation: object, parts: Sequence[str], at: int, known: Collection[str]) -> set[str]:
    """Return the fields of the section that the parts from `at` on lead to below a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if at == len(parts):
            return {*annotation.model_fields}
        field = annotation.model_fields.get(parts[at])
        return _fields(field.annotation, parts, at + 1, known) if field else set()
    inner = get_args(annotation)
    if get_origin(annotation) in (list, dict):
        listed = at < len(parts) and ".".join(parts[: at + 1]) in known
        return _fields(inner[-1], parts, at + 1, known) if listed else set()
    return {name for each in inner for name in _fields(each, parts, at, known)}
