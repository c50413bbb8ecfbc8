"""What a person chooses of how a survey is predicted."""

from dataclasses import dataclass
from enum import StrEnum

from saltseg.seismic.grid import Grid


class Along(StrEnum):
    """The axes along which the sections of a 3D survey are predicted."""

    BOTH = "both"
    INLINE = "inline"
    CROSSLINE = "crossline"

    def of(self, grid: Grid) -> tuple[str, ...]:
        """Return the axes of a grid; a 2D line has one, whatever is asked."""
        return grid.axes if grid.line or self is Along.BOTH else (self.value,)


class Members(StrEnum):
    """Which networks predict: all snapshots, or one of their mean weights a member and fold."""

    ALL = "all"
    FAST = "fast"


class ScaleOf(StrEnum):
    """Whose amplitudes fill the range of grey."""

    SURVEY = "survey"
    TILE = "tile"


@dataclass(frozen=True)
class SurveyChoices:
    """How a survey is predicted.

    tile: side of the tiles in pixels. sample_scale: samples that are made of each one. scale, clip,
    gain: see seismic.scaling. depth: of the survey in feet, for networks that read it.
    """

    along: Along = Along.BOTH
    members: Members = Members.ALL
    tile: int = 256
    sample_scale: float = 1.0
    scale: ScaleOf = ScaleOf.SURVEY
    clip: float = 0.5
    gain: int | None = None
    depth: float | None = None
