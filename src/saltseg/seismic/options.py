"""What a person says of a survey where its file says nothing, or something wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from saltseg.plumbing.errors import InputError

LAST_BYTE = 237
"""The last byte at which a number of four bytes begins in a trace header of 240."""


class Domain(StrEnum):
    """What the samples of a trace run along."""

    TIME = "time"
    DEPTH = "depth"


class LengthUnit(StrEnum):
    """What depths are measured in."""

    METRES = "m"
    FEET = "ft"


class ByteOrder(StrEnum):
    """Which byte of a number comes first."""

    BIG = "big"
    LITTLE = "little"


class Polarity(StrEnum):
    """Whether amplitudes are taken as they are, or with the other sign."""

    NORMAL = "normal"
    REVERSED = "reversed"


_NAMES = {"sample_format": "format"}
"""Options of another name than their field."""


def option_of(field: str) -> str:
    """Return the option of the command line that sets a field."""
    return "--" + _NAMES.get(field, field).replace("_", "-")


@dataclass(frozen=True)
class SurveyOptions:
    """What overrides a survey's file. None leaves it to the file.

    Bytes are counted from 1 in the trace header, as in the standard, and hold four-byte integers.
    sample_format: a number of the standard (1 IBM, 5 IEEE). interval: in ms, or in the unit of
    depth. null: a further value that stands for no data, besides -999.25 and 1e30. axes: those of
    an array in its order, such as "inline,crossline,sample". whole_traces: read a file that was cut
    short.
    """

    inline_byte: int | None = None
    crossline_byte: int | None = None
    cdp_byte: int | None = None
    x_byte: int | None = None
    y_byte: int | None = None
    sample_format: int | None = None
    byte_order: ByteOrder | None = None
    interval: float | None = None
    domain: Domain | None = None
    unit: LengthUnit | None = None
    polarity: Polarity = Polarity.NORMAL
    null: float | None = None
    axes: str | None = None
    whole_traces: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "SurveyOptions":
        """Return the options whose values a file holds, the choices among them as text or None."""
        kinds: dict[str, type[StrEnum]] = {
            "byte_order": ByteOrder,
            "domain": Domain,
            "unit": LengthUnit,
            "polarity": Polarity,
        }
        chosen = {name: kinds[name](values[name]) for name in kinds if values.get(name) is not None}
        return cls(**(dict(values) | chosen))

    def __post_init__(self) -> None:
        """Raise InputError for bytes outside the header and for an interval that is none."""
        for name in ("inline_byte", "crossline_byte", "cdp_byte", "x_byte", "y_byte"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= LAST_BYTE:
                raise InputError(
                    f"{option_of(name)}: {value} is no byte; give one of 1 to {LAST_BYTE}"
                )
        if self.interval is not None and not 0 < self.interval < float("inf"):
            raise InputError(f"--interval: {self.interval} is no interval; give one above 0")
        if self.cdp_byte is not None and (self.inline_byte or self.crossline_byte):
            raise InputError(
                "--cdp-byte: reads a 2D line, --inline-byte and --crossline-byte a 3D survey;"
                " give the one or the others"
            )
