"""What predicts pieces of a survey, in this process or on the nodes of a cluster.

Pieces are sections and, once all sections are there, shards of the store. A worker opens the model
by itself and writes its pieces to the work's folder: what is finished there is the only state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from saltseg.project.model_folder import read_settings
from saltseg.seismic.choices import SurveyChoices
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.predictions import PredictionStore, Reading
from saltseg.seismic.scaling import Scale
from saltseg.seismic.section_files import SectionFiles
from saltseg.seismic.survey import Survey
from saltseg.selection.calibration import Calibration
from saltseg.serving.survey_networks import SurveyNetworks

Piece = tuple[str, int]
"""A section, axis and place along it; or ("", number) for a shard."""


@dataclass(frozen=True)
class SurveyTask:
    """All that a worker needs; paths are absolute."""

    survey: Path
    model: Path
    out: Path
    """Where the survey's trace headers are kept."""
    folder: Path
    """Of the work."""
    options: SurveyOptions
    choices: SurveyChoices
    scale: Scale
    zero: float
    """What the survey's file holds for amplitude 0, found once for all workers."""


class SurveyWorker:
    """Predicts pieces of one survey."""

    def __init__(self, task: SurveyTask, survey: Survey) -> None:
        """Take the open survey of `task`."""
        self._task, self._survey = task, survey
        survey.zero = task.zero
        self.files = SectionFiles(task.folder, survey.grid, task.choices.along.of(survey.grid))

    def work(self, piece: Piece) -> None:
        """Predict a section and write its file, or make a shard."""
        axis, at = piece
        if not axis:
            self.store.write(at)
            return
        section = self._survey.section(axis, int(self._survey.grid.numbers(axis)[at]))
        choices = self._task.choices
        found = self._networks.predict(section, self._task.scale, choices.sample_scale)
        self.files.write(axis, at, found.mean, found.variance, section.live)

    @cached_property
    def store(self) -> PredictionStore:
        """The store, once it is begun."""
        return PredictionStore(self._task.folder, self.files, load_reading(self._task.model)[0])

    @cached_property
    def _networks(self) -> SurveyNetworks:
        choices = self._task.choices
        return SurveyNetworks(self._task.model, choices.members, choices.tile, choices.depth)


class Workers(Protocol):
    """Those among whom pieces are dealt."""

    def deal(self, pieces: Sequence[Piece]) -> Iterator[object]:
        """Have each piece done once, in any order; yield as each is done."""


@dataclass(frozen=True)
class OneWorker:
    """This process alone."""

    worker: SurveyWorker

    def deal(self, pieces: Sequence[Piece]) -> Iterator[object]:
        """Do one piece after the other."""
        for piece in pieces:
            self.worker.work(piece)
            yield piece


def load_reading(model: Path) -> tuple[Reading, dict[str, Any]]:
    """Return how the model's probabilities are read, and what the store says of it.

    A model made before calibration existed has none, and its probabilities stay as they are.
    """
    settings = read_settings(model, "threshold")
    threshold, given = float(settings["threshold"]), settings.get("calibration")
    calibrate = _as_they_are if given is None else Calibration(**given).apply
    facts = {
        "threshold": float(calibrate(np.array(threshold))),
        "threshold_before_calibration": threshold,
        "calibration": given,
    }
    return Reading(threshold, calibrate), facts


def _as_they_are(probabilities: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    return probabilities.astype(np.float64)
