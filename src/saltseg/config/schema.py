"""Building blocks of the sections of params.yaml: strict models and number types."""

from itertools import groupby
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from saltseg.config.parameter_names import beside, parameter_names, unknown_name
from saltseg.config.schema_names import schema_names


def _number(value: object) -> object:
    """Read `1e-3`, a string to PyYAML, as a number, as YAML 1.2 and DVC do."""
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
_NAMES = "names are small letters, digits and _, and begin with a letter"
"""What the pattern of Name, the only one in the schema, says."""


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
    """One of the choices for a field, with settings of its own: {NAME: {SETTING: VALUE}}."""

    written: ClassVar[str]
    """The NAME in the file."""

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: object) -> object:
        wrapped = isinstance(value, dict) and [*value] == [cls.written]
        return value[cls.written] if wrapped else value  # type: ignore[index]

    @model_serializer(mode="wrap")
    def _wrap(self, settings: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {self.written: settings(self)}


def _fold(value: object) -> object:
    if value == ALL or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise PydanticCustomError("fold", "write the number of a fold, or all")


ALL: Literal["all"] = "all"
"""In place of a fold: no crop is held out."""

Fold = Annotated[
    int | Literal["all"], PlainValidator(_fold, json_schema_input_type=Count | Literal["all"])
]
"""The number of the fold that is held out, or ALL."""


def alternatives(ways: str) -> Discriminator:
    """Let a field hold one of several choices, each with the Tag of its name.

    ways: the choices as a user writes them, for the error message.
    """
    return Discriminator(
        _chosen, custom_error_type="alternatives", custom_error_message=f"write {ways}"
    )


def _chosen(value: object) -> str | None:
    """Return the NAME of NAME, of {NAME: ...}, or of the model made from it."""
    if isinstance(value, Alternative):
        return value.written
    if isinstance(value, Section):
        return next(iter(type(value).model_fields))
    if isinstance(value, dict):
        return str(*value) if len(value) == 1 else None
    return value if isinstance(value, str) else None


def describe_findings(
    error: ValidationError, schema: type[BaseModel], content: object = None
) -> str:
    """Describe the first of pydantic's errors in one line and count the others.

    schema: by which it was validated; content: what was validated. Both name the parameter that an
    unknown one probably stands for.
    """
    findings = error.errors()
    first = findings[0]
    if first["type"] == "missing":
        # Where a parameter is misspelt, the one that was meant is missing: tell of the wrong name.
        first = next((each for each in findings if each["type"] == "extra_forbidden"), first)
    # Pydantic marks the name of an entry itself, as opposed to its value, by [key].
    parts = [str(part) for part in first["loc"] if part != "[key]"]
    if parts[0:1] == ["models"]:
        # The third part is the architecture that pydantic chose, not a field of the file.
        del parts[2:3]
    # An alternative whose one setting has its own name, {last: N}, appears twice.
    parts = [name for name, _ in groupby(parts)]
    field = ".".join(parts)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        message = _NAMES
    more = f" ({len(findings) - 1} more wrong)" if len(findings) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = {*parameter_names(content)}
        known |= {".".join(map(str, each["loc"])) for each in findings if each["type"] == "missing"}
        known |= schema_names(schema, field, known)
        return unknown_name(field, beside(field, known - {field})) + more
    if first["type"] == "missing":
        return f"{field}: is missing; add it{more}"
    if first["type"] == "rewritten":
        return f"{field}: {message}{more}"
    if first["type"] == "value_error":
        return ".".join([*parts, message]) + more
    return f"{field}: {first['input']!r} is not allowed: {message}{more}"
