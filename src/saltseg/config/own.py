"""The schema of `ingest.own`: how crops are cut from one's own images or survey."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from saltseg.config.schema import AtLeastOne, Count, Float, Section, Share

HeaderByte = Annotated[int, Field(ge=1, le=237)]


class SurveyFile(Section):
    """What overrides a survey's file, as the options of `saltseg inspect` do."""

    inline_byte: HeaderByte | None = None
    """Byte of the inline number in SEG-Y's trace headers, counted from 1."""
    crossline_byte: HeaderByte | None = None
    """Byte of the crossline number."""
    cdp_byte: HeaderByte | None = None
    """Byte of the trace number of a 2D line."""
    x_byte: HeaderByte | None = None
    """Byte of the x coordinate."""
    y_byte: HeaderByte | None = None
    """Byte of the y coordinate."""
    sample_format: AtLeastOne | None = None
    """Number of the sample format in SEG-Y's standard: 1 is IBM, 5 is IEEE."""
    byte_order: Literal["big", "little"] | None = None
    """Which byte of a number comes first."""
    interval: Annotated[Float, Field(gt=0)] | None = None
    """Sample interval in ms, or in the unit of depth."""
    domain: Literal["time", "depth"] | None = None
    """What samples run along."""
    unit: Literal["m", "ft"] | None = None
    """Unit of depth."""
    polarity: Literal["normal", "reversed"] = "normal"
    """Whether amplitudes are taken as they are, or with the other sign."""
    null: Float | None = None
    """A further value that stands for no data, besides -999.25 and 1e30."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check that the bytes are those of a 2D line or of a 3D survey."""
        if self.cdp_byte is not None and (self.inline_byte or self.crossline_byte):
            raise ValueError(
                f"cdp_byte: {self.cdp_byte} reads a 2D line, inline_byte and crossline_byte a 3D"
                " survey; give the one or the others"
            )
        return self


SURVEY_ONLY = ("axis", "lines", "block", "gap")
"""Fields of Own that mean something for a 3D survey alone."""


class Own(Section):
    """How crops are cut from one's own images or survey."""

    overlap: Literal["half", "none"] = "half"
    """How far neighbouring crops of a section reach into each other."""
    scale: Literal["tile", "survey"] = "tile"
    """To 8 bits by each crop's extremes, or by percentiles 1 and 99 of all labelled sections."""
    most_train: Annotated[int, Field(ge=1, le=1_000_000)] = 4000
    """Largest number of labelled crops; of more, equally many are taken of each coverage class."""
    most_test: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    """Unlabelled crops at most, drawn at random; 0 for none."""
    empty_share: Share = 0.5
    """Largest share of labelled crops without salt, where there are any with salt."""
    axis: Literal["inline", "crossline"] = "inline"
    """Axis of a 3D survey along which sections are cut."""
    lines: list[int] = Field(default_factory=list)
    """Numbers of the interpreted lines along `axis`; empty for all that have labels."""
    block: AtLeastOne = 32
    """Lines of a 3D survey that count as one mosaic, where they follow each other closely."""
    gap: Count = 8
    """Lines between two such blocks at least; labelled ones there are left out."""
    survey: SurveyFile = SurveyFile()
    """What overrides the survey's file."""
