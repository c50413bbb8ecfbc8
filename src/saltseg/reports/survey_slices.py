"""Slices of a 3D survey at one time or depth: maps of what was predicted there."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saltseg.reports.section_axes import SectionAxes
from saltseg.seismic.grid import INLINE
from saltseg.seismic.no_data import Amplitudes, Live
from saltseg.seismic.survey import Survey


@dataclass(frozen=True)
class Slice:
    """The sample of number `sample` of every trace of a survey, shape (crosslines, inlines)."""

    survey: Survey
    sample: int

    def amplitude(self) -> tuple[Amplitudes, Live]:
        """Return amplitudes, float32, and where there is data, bool; reads inline by inline."""
        numbers = self.survey.grid.inlines
        columns = [self._column(int(number)) for number in numbers]
        return np.stack([c for c, _ in columns], 1), np.stack([live for _, live in columns], 1)

    def _column(self, inline: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        section = self.survey.section(INLINE, inline)
        return section.amplitude[:, self.sample].copy(), section.live[:, self.sample].copy()

    def raw(self) -> Amplitudes:
        """Return the samples as the file has them, NaN where there is no trace."""
        numbers = self.survey.grid.inlines
        columns = [self.survey.raw_along(INLINE, int(n))[0][:, self.sample] for n in numbers]
        return np.stack(columns, 1)

    def axes(self) -> SectionAxes:
        """Return the axes of the map: crosslines across, inlines downwards."""
        grid = self.survey.grid
        labels = ("crossline", "inline", "")
        return SectionAxes(grid.crosslines, 0.0, 1.0, labels, rows=grid.inlines)


def nearest_sample(survey: Survey, place: float) -> int | None:
    """Return the number of the sample nearest to a time or depth; None beyond the survey's."""
    sampling = survey.sampling
    number = round((place - sampling.first) / sampling.interval)
    return number if 0 <= number < sampling.count else None
