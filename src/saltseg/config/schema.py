"""What every section of params.yaml is made of: strict fields and their number types."""

from itertools import groupby
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)


def _number(value: object) -> object:
    """Read `1e-3`, a string to PyYAML, as the number that YAML 1.2 and DVC see."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


Float = Annotated[float, BeforeValidator(_number)]
Positive = Annotated[Float, Field(gt=0)]
NotNegative = Annotated[Float, Field(ge=0)]
Share = Annotated[Float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Section(BaseModel):
    """A part of params.yaml: unknown fields, wrong types and infinite numbers are refused."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Alternative(Section):
    """One of the ways to write a field, with settings of its own: {NAME: {SETTING: VALUE}}."""

    written: ClassVar[str]
    """NAME."""

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: object) -> object:
        wrapped = isinstance(value, dict) and [*value] == [cls.written]
        return value[cls.written] if wrapped else value  # type: ignore[index]

    @model_serializer(mode="wrap")
    def _wrap(self, settings: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {self.written: settings(self)}


def alternatives(ways: str) -> Discriminator:
    """Let a field be written in one of several ways, each with the Tag of its name.

    ways: what a person can write, for the message about anything else.
    """
    return Discriminator(
        _chosen, custom_error_type="alternatives", custom_error_message=f"write {ways}"
    )


def _chosen(value: object) -> str | None:
    """Return the NAME of NAME and of {NAME: ...}, or of the model that came of it."""
    if isinstance(value, Alternative):
        return value.written
    if isinstance(value, Section):
        return next(iter(type(value).model_fields))
    if isinstance(value, dict):
        return str(*value) if len(value) == 1 else None
    return value if isinstance(value, str) else None


def describe_findings(error: ValidationError) -> str:
    """Put the first of pydantic's findings into one line and count the rest."""
    findings = error.errors()
    first = findings[0]
    parts = [str(part) for part in first["loc"]]
    if parts[0:1] == ["models"]:
        # The third part is the family that pydantic chose, no field of the file.
        del parts[2:3]
    # An alternative with one setting of its own name, {last: N}, comes twice.
    parts = [name for name, _ in groupby(parts)]
    field = ".".join(parts)
    message = first["msg"].removeprefix("Value error, ")
    more = f" ({len(findings) - 1} more wrong)" if len(findings) > 1 else ""
    if first["type"] == "missing":
        return f"{field}: is missing; add it{more}"
    if first["type"] == "rewritten":
        return f"{field}: {message}{more}"
    if first["type"] == "value_error":
        return ".".join([*parts, message]) + more
    return f"{field}: {first['input']!r} is not allowed: {message}{more}"
