"""Labels that are a volume of their own: SEG-Y, a zarr store, or an .npy of the survey's shape."""

from pathlib import Path

import numpy as np

from saltseg.own.labels import Labels, label_of
from saltseg.own.section import Label
from saltseg.plumbing.errors import InputError
from saltseg.seismic.array_file import ArraySurvey, open_array
from saltseg.seismic.columns import Integers
from saltseg.seismic.no_data import Amplitudes
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.same_places import check_sampling
from saltseg.seismic.sampling import Sampling
from saltseg.seismic.store import open_store
from saltseg.seismic.survey import Survey

_OTHER_MASK = "give a mask of the survey's traces and samples"


class MaskVolume(Labels):
    """A mask volume along one axis. A place without a trace in it is not interpreted."""

    def __init__(self, volume: Survey, survey: Survey, axis: str) -> None:
        """Take an open volume and the survey that it is a mask of. Raises InputError."""
        super().__init__(volume.path)
        self._volume, self._axis = volume, axis
        self._salt_value: list[float] = []
        self._by_place = isinstance(volume, ArraySurvey)
        if self._by_place:
            _check_shape(volume, survey)
            self._numbers = survey.grid.numbers(axis)
        else:
            check_sampling(volume, survey, _OTHER_MASK)
            self._numbers = volume.grid.numbers(axis)

    def lines(self) -> list[int]:
        """Return the lines of which the volume has a trace."""
        if self._by_place:
            return [int(line) for line in self._numbers]
        grid = self._volume.grid
        return [int(line) for line in self._numbers if (grid.along(self._axis, line) >= 0).any()]

    def label(self, line: int, traces: Integers, sampling: Sampling) -> Label:
        """Return what the volume says of a line; see Labels."""
        marks = np.full((len(traces), sampling.count), np.nan, np.float32)
        raw, numbers = self._read(line, traces)
        places = {int(number): at for at, number in enumerate(numbers)}
        rows = [(at, places[int(trace)]) for at, trace in enumerate(traces) if trace in places]
        if rows:
            here, there = (list(column) for column in zip(*rows, strict=True))
            marks[here] = raw[there]
        return label_of(marks.T, self._salt_value, f"{self.path}: {self._axis} {line:,}")

    def _read(self, line: int, traces: Integers) -> tuple[Amplitudes, Integers]:
        grid = self._volume.grid
        if self._by_place:
            place = int(np.flatnonzero(self._numbers == line)[0])
            return self._volume.raw_along(self._axis, place)[0], traces
        if line not in grid.numbers(self._axis):
            return np.empty((0, self._volume.sampling.count), np.float32), traces[:0]
        return self._volume.raw_along(self._axis, line)[0], grid.across(self._axis)


def open_mask_volume(path: Path, survey: Survey, options: SurveyOptions, axis: str) -> MaskVolume:
    """Open a mask volume. options: as the survey's. Raises InputError where it is none."""
    if path.is_dir():
        array = "mask" if (path / "mask").exists() else "amplitude"
        return MaskVolume(open_store(path, options, [array]), survey, axis)
    if path.suffix.lower() == ".npy":
        named = SurveyOptions(axes="inline,crossline,sample")
        return MaskVolume(open_array(path, named, kinds="buif"), survey, axis)
    return MaskVolume(open_survey(path, options), survey, axis)


def _check_shape(volume: Survey, survey: Survey) -> None:
    has, wanted = ((*each.grid.traces.shape, each.sampling.count) for each in (volume, survey))
    if has != wanted:
        raise InputError(
            f"{volume.path}: has shape {has}, and {survey.path.name} has {wanted} inlines,"
            " crosslines and samples; give a mask of the survey's size"
        )
