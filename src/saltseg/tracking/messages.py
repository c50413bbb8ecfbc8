"""What may come over the wire, and nothing else."""

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


class _Begin(_Timed):
    kind: Literal["begin"]
    stage: _Text
    parts: list[str | int]
    root: _Text
    main: _Text
    params: dict[str, Any]
    pipeline: _Process
    command: list[str]
    stage_pid: Annotated[int, Field(gt=0)]


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


_REPORT: TypeAdapter[Any] = TypeAdapter(
    Annotated[_Begin | _Metrics | _Epoch | _Artifact | _Trained | _End, Field(discriminator="kind")]
)
_ANSWER = TypeAdapter(_Answer)


def read_report(line: bytes) -> Message:
    """Read what a stage says. Raises ValueError where it is nothing that a stage says."""
    return _read(line, _REPORT)


def read_answer(line: bytes) -> Message:
    """Read what a recorder answers. Raises ValueError where it is nothing that one answers."""
    return _read(line, _ANSWER)


def _read(line: bytes, kind: TypeAdapter[Any]) -> Message:
    try:
        kind.validate_json(line)
        message: Message = json.loads(line)
    except (ValidationError, RecursionError) as error:
        raise ValueError("no message of saltseg") from error
    return message
