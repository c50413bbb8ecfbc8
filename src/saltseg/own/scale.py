"""How amplitudes become the 8 bits of a crop."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.own.section import OwnSection

PERCENTILES = (1, 99)
_SAMPLED = 100_000
"""Values of a section that its survey's percentiles are taken from, at most."""


@dataclass(frozen=True)
class Scale:
    """The amplitudes that become 0 and 255; those beyond are clipped."""

    low: float
    high: float

    def __call__(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Return `pixels` in 8 bits: uint8 of the same shape."""
        share = (pixels.astype(np.float64) - self.low) / (self.high - self.low)
        return np.rint(255 * share.clip(0, 1)).astype(np.uint8)


def survey_scale(sections: Iterable[OwnSection]) -> Scale | None:
    """Return the scale between PERCENTILES of what is data in all sections; None if it is flat."""
    values = [_sampled(section) for section in sections]
    low, high = np.percentile(np.concatenate(values), PERCENTILES)
    return Scale(float(low), float(high)) if high > low else None


def _sampled(section: OwnSection) -> npt.NDArray[np.float64]:
    live = section.pixels[section.live]
    return live[:: max(len(live) // _SAMPLED, 1)].astype(np.float64)
