"""Position and azimuth of a feature on the map, which make it three-dimensional."""

from dataclasses import dataclass

import numpy as np

from saltseg.survey.fields import log_uniform
from saltseg.survey.grid import Field
from saltseg.survey.streams import Stream


@dataclass(frozen=True)
class Plan:
    """A feature's place along the inlines, and its azimuth.

    In a section, every feature is cut through its centre at right angles.
    """

    away: Field | float
    """Inlines from the feature's centre to this inline."""
    cosine: float
    sine: float
    elongation: float
    """Ratio of length along the axis to width across it."""
    lean: float
    """Inlines by which the feature's axis shifts per pixel of depth."""

    def turned(self, offset: Field, below: Field | float = 0.0) -> tuple[Field, Field]:
        """Return distances across and along the feature's axis.

        offset: columns from its centre. below: pixels below the point at which `away` holds.
        """
        if isinstance(self.away, float) and not self.sine:
            return offset, np.zeros((1, 1), np.float32)
        away = self.away - self.lean * below
        return self.cosine * offset + self.sine * away, self.cosine * away - self.sine * offset


def draw_plan(rng: Stream, across: Field | None = None, longest: float = 3.0) -> Plan:
    """Draw a feature's plan; fixed for a section.

    across: inline of each pixel after bending; the stream's inline without bending.
    longest: largest elongation.
    """
    if rng.grid.is_section:
        return Plan(0.0, 1.0, 0.0, 1.0, 0.0)
    last = rng.grid.inlines
    edge = min(100.0, 0.15 * last)
    centre = rng.uniform(-edge, last + edge)
    azimuth = rng.uniform(-np.pi / 2, np.pi / 2)
    away = np.asarray(rng.inline if across is None else across, np.float32) - np.float32(centre)
    elongation, lean = log_uniform(rng, 1, longest), rng.uniform(-0.3, 0.3)
    return Plan(away, float(np.cos(azimuth)), float(np.sin(azimuth)), elongation, lean)


def tilted(rng: Stream, slope: float, deviation: float) -> Field:
    """Return the height of a plane with `slope` along columns and a random slope along inlines."""
    height: Field = slope * rng.grid.centred
    if rng.grid.is_section:
        return height
    return height + np.float32(rng.normal(0, deviation) * (rng.inline - rng.grid.inlines / 2))
