"""Sections of a survey with what was predicted on them: read, compared with a truth, and drawn."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.errors import InputError
from saltseg.reports.section_axes import SectionAxes
from saltseg.reports.section_figure import SectionPicture, draw_section
from saltseg.reports.survey_slices import Slice, nearest_sample
from saltseg.scoring.pixel_measures import boundary_distance, iou
from saltseg.seismic.coordinates import along
from saltseg.seismic.no_data import Amplitudes, Live
from saltseg.seismic.options import Domain
from saltseg.seismic.store import StoredSurvey
from saltseg.seismic.survey import Survey

SLICE = "sample"
"""What the name of a slice begins with."""
_CLIP = 99
_NUMBER = re.compile("-?[0-9]{1,18}")
"""The number of a line: an int64."""
_SALT = 0.5


@dataclass(frozen=True)
class SectionName:
    """A section: the axis that it lies along, and its number; a slice: SLICE, its time or depth."""

    axis: str
    number: float

    def __str__(self) -> str:
        """Return it as it is asked for: inline:1023."""
        return f"{self.axis}:{self.number:.12g}"

    @property
    def file(self) -> str:
        """Return the name of its picture."""
        return f"{self.axis}_{self.number:.12g}.png"


@dataclass(frozen=True)
class PredictedSection:
    """A section and all that is known of it, shape (traces, samples); slice: (crosslines, inlines).

    amplitude, probability, disagreement: float32, NaN where there is no data; disagreement is None
    where the store has none. salt: bool, in a body. truth: bool, None where it is not known.
    """

    name: SectionName
    amplitude: Amplitudes
    probability: Amplitudes
    disagreement: Amplitudes | None
    salt: Live
    live: Live
    truth: Live | None
    axes: SectionAxes

    def measures(self) -> dict[str, float | None] | None:
        """Return IoU and boundary distance (in samples and traces) where there is data.

        None without a truth; a distance of None where one of the masks has no boundary.
        """
        if self.truth is None:
            return None
        pair = (self.salt & self.live)[None], (self.truth & self.live)[None]
        found = {"iou": iou(*pair), "boundary_distance": boundary_distance(*pair)}
        known = {name: float(value[0]) for name, value in found.items()}
        return {name: value if np.isfinite(value) else None for name, value in known.items()}


@dataclass(frozen=True)
class SectionSource:
    """Where sections come from: the survey, its predictions, its bodies, and perhaps its truth."""

    survey: Survey
    store: StoredSurvey
    labels: StoredSurvey
    truth: Survey | None = None

    def read(self, name: SectionName) -> PredictedSection:
        """Read a section or slice. Raises InputError where the survey has none of its name."""
        amplitude, here = self._amplitude(name)
        live = self._stored(self.store, "live", name)
        disagreement = None
        if "disagreement" in self.store.group:
            disagreement = _known(self._stored(self.store, "disagreement", name), live)
        return PredictedSection(
            name,
            _known(amplitude, here),
            _known(self._stored(self.store, "probability", name), live),
            disagreement,
            self._stored(self.labels, "body", name) > 0,
            live,
            self._truth(name, live.shape),
            section_axes(self.survey, name),
        )

    def _amplitude(self, name: SectionName) -> tuple[Amplitudes, Live]:
        if name.axis == SLICE:
            return _slice(self.survey, name).amplitude()
        section = self.survey.section(name.axis, int(name.number))
        return section.amplitude, section.live

    def _stored(self, store: StoredSurvey, array: str, name: SectionName) -> npt.NDArray[Any]:
        if name.axis == SLICE:
            at = _slice(self.survey, name).sample
            return store.block(array, slice(None), slice(None), slice(at, at + 1))[..., 0].T
        return store.stored_section(array, name.axis, int(name.number))

    def _truth(self, name: SectionName, shape: tuple[int, ...]) -> Live | None:
        """Return the true salt, taken as it is written: a trace of nothing but salt is not dead."""
        if self.truth is None:
            return None
        try:
            raw = self._true(self.truth, name)
        except KeyError as error:
            raise InputError(f"{self.truth.path}: has no {name}; name another --truth") from error
        if raw.shape != shape:
            raise InputError(
                f"{self.truth.path}: {name} has {raw.shape[0]:,} traces of {raw.shape[1]:,}"
                f" samples, the survey's {shape[0]:,} of {shape[1]:,}; name another --truth"
            )
        return np.asarray(raw > _SALT)

    def _true(self, truth: Survey, name: SectionName) -> Amplitudes:
        if name.axis == SLICE:
            return _slice(truth, name).raw()
        return truth.raw_along(name.axis, int(name.number))[0]


def _slice(survey: Survey, name: SectionName) -> Slice:
    """Raise KeyError where a survey has no such slice."""
    at = nearest_sample(survey, name.number)
    if at is None:
        raise KeyError(str(name))
    return Slice(survey, at)


def _known(values: npt.NDArray[np.float32], live: Live) -> Amplitudes:
    return np.where(live, values, np.float32(np.nan))


def section_axes(survey: Survey, name: SectionName) -> SectionAxes:
    """Return the axes of a section: trace numbers, distances where they rise, time or depth."""
    if name.axis == SLICE:
        return _slice(survey, name).axes()
    sampling, grid = survey.sampling, survey.grid
    traces = grid.along(name.axis, int(name.number))
    across = {"inline": "crossline", "crossline": "inline"}.get(name.axis, "trace")
    below = {Domain.TIME: "time", Domain.DEPTH: "depth", None: "time or depth"}[sampling.domain]
    unit = sampling.unit if sampling.domain is Domain.DEPTH else "unit of the map"
    distances = _distances(survey, traces)
    labels = across, f"{below}, {sampling.unit}", f"distance, {unit}"
    return SectionAxes(grid.across(name.axis), sampling.first, sampling.interval, labels, distances)


def _distances(survey: Survey, traces: npt.NDArray[np.int64]) -> npt.NDArray[np.float64] | None:
    """Return the distance of each trace from the first; where there is none, between its like."""
    if survey.x is None or survey.y is None:
        return None
    found = along(survey.x, survey.y, traces)
    known = np.isfinite(found)
    if known.sum() < 2:
        return None
    filled = np.interp(np.arange(len(found)), np.flatnonzero(known), found[known])
    return filled if filled[-1] > filled[0] else None


def draw_survey_section(folder: Path, section: PredictedSection, title: str) -> None:
    """Write the picture of a section into a folder, called after it, such as inline_1023.png."""
    measures = section.measures()
    if measures:
        title += f"   IoU {measures['iou']:.3f}"
        if measures["boundary_distance"] is not None:
            title += f", boundary distance {measures['boundary_distance']:.1f} samples"
    clip = amplitude_clip(section.amplitude)
    picture = SectionPicture(
        section.amplitude.T,
        section.salt.T,
        section.probability.T,
        None if section.truth is None else section.truth.T,
        (-clip, clip),
        None if section.disagreement is None else section.disagreement.T,
        bare=True,
        axes=section.axes,
        title=title,
    )
    draw_section(folder / section.name.file, picture)


def amplitude_clip(amplitude: Amplitudes) -> float:
    """Return the 99th percentile of the sizes of amplitudes, NaN left out; 1 without any."""
    sizes = np.abs(amplitude[np.isfinite(amplitude)])
    clip = float(np.percentile(sizes, _CLIP)) if len(sizes) else 0.0
    return clip if clip > 0 else 1.0


def parse_section(text: str, survey: Survey) -> SectionName:
    """Read the name of a section, such as inline:1023, or of a slice: sample:TIME or DEPTH.

    Raises InputError where the survey has none.
    """
    axis, _, number = text.partition(":")
    if axis == SLICE and not survey.grid.line:
        return _parse_slice(text, number, survey)
    if survey.grid.line and axis == "line":
        number = number or str(survey.grid.inlines[0])
    if axis not in survey.grid.axes or not _NUMBER.fullmatch(number):
        some = " or ".join(f"{each}:{survey.grid.numbers(each)[0]}" for each in survey.grid.axes)
        raise InputError(f"--section {text}: is no section of {survey.path}; write {some}")
    numbers = survey.grid.numbers(axis)
    if int(number) not in numbers:
        raise InputError(
            f"--section {text}: {survey.path} has {axis} {numbers[0]:,} to {numbers[-1]:,} in steps"
            f" of {int(np.diff(numbers)[0]) if len(numbers) > 1 else 1}; name one of them"
        )
    return SectionName(axis, int(number))


def _parse_slice(text: str, number: str, survey: Survey) -> SectionName:
    sampling = survey.sampling
    try:
        at = nearest_sample(survey, float(number))
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise InputError(
            f"--section {text}: {survey.path} has samples from {sampling.first:g} to"
            f" {sampling.last():g} {sampling.unit}; name one of them"
        )
    return SectionName(SLICE, sampling.first + sampling.interval * at)


def usual_sections(survey: Survey, count: int) -> list[SectionName]:
    """Return up to `count` sections along each axis, evenly over the survey."""
    names = []
    for axis in survey.grid.axes:
        numbers = survey.grid.numbers(axis)
        places = np.unique((np.arange(count) + 0.5) * len(numbers) / count // 1).astype(int)
        names += [SectionName(axis, int(numbers[place])) for place in places]
    return names
