"""The messages between a stage and its recorder."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Message = dict[str, Any]

_Text = Annotated[str, Field(max_length=100_000)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Process(_Model):
    pid: Annotated[int, Field(gt=0)]
    identity: _Text


class _Timed(_Model):
    time: int


class _Opening(_Timed):
    stage: _Text
    root: _Text
    main: _Text
    params: dict[str, Any]
    pipeline: _Process
    command: list[str]


class _Open(_Opening):
    kind: Literal["open"]


class _Begin(_Opening):
    kind: Literal["begin"]
    parts: list[str | int]
    stage_pid: Annotated[int, Field(gt=0)]


class _Nodes(_Timed):
    kind: Literal["nodes"]
    content: dict[str, dict[str, str]]


class _Failed(_Timed):
    kind: Literal["failed"]
    stage: _Text
    error: _Text


class _Metrics(_Timed):
    kind: Literal["metrics"]
    content: dict[str, Any]


class _Epoch(_Timed):
    kind: Literal["epoch"]
    values: dict[str, float]
    step: int


class _Artifact(_Timed):
    kind: Literal["artifact"]
    path: _Text


class _Trained(_Timed):
    kind: Literal["model"]


class _End(_Timed):
    kind: Literal["end"]
    status: Literal["FINISHED", "FAILED", "KILLED"]
    error: str | None


class _Answer(_Model):
    lost: _Text | None
    run: _Text | None = None


_REPORT: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        _Open | _Nodes | _Failed | _Begin | _Metrics | _Epoch | _Artifact | _Trained | _End,
        Field(discriminator="kind"),
    ]
)
_ANSWER = TypeAdapter(_Answer)


def read_report(line: bytes) -> Message:
    """Parse a stage's message. Raises ValueError if it is not one."""
    return _read(line, _REPORT)


def read_answer(line: bytes) -> Message:
    """Parse a recorder's answer. Raises ValueError if it is not one."""
    return _read(line, _ANSWER)


def _read(line: bytes, kind: TypeAdapter[Any]) -> Message:
    try:
        kind.validate_json(line)
        message: Message = json.loads(line)
    except (ValidationError, RecursionError) as error:
        raise ValueError("not a saltseg message") from error
    return message
