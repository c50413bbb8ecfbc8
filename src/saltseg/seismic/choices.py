"""What a person chooses of how a survey is predicted."""

import math
from dataclasses import dataclass
from enum import StrEnum

from saltseg.config.model_definitions import CROP
from saltseg.plumbing.errors import InputError
from saltseg.seismic.grid import Grid
from saltseg.seismic.resampling import sample_fraction

LEAST_SIDE, MOST_SIDE, MOST_CLIP = CROP, 1024, 50


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
    clip: float = 2.0
    gain: int | None = None
    depth: float | None = None

    def __post_init__(self) -> None:
        """Raise InputError for values that are none."""
        if not LEAST_SIDE <= self.tile <= MOST_SIDE:
            raise InputError(
                f"--tile: {self.tile} is no size; give {LEAST_SIDE} to {MOST_SIDE} pixels"
            )
        if not 0 <= self.clip < MOST_CLIP:
            raise InputError(
                f"--clip: {self.clip} is out of range; give percent from 0 to less than {MOST_CLIP}"
            )
        if self.gain is not None and self.gain < 1:
            raise InputError(f"--gain: {self.gain} is no window; give samples, 1 or more")
        sample_fraction(self.sample_scale)
        if self.depth is not None and not math.isfinite(self.depth):
            raise InputError(f"--depth: {self.depth} is not a depth; give feet")
