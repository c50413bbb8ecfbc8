"""Prediction of surveys: against crops' tiles, MONAI's sliding window, and the network alone."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.peers import peer_packages
from benchmarks.side_by_side import Row, Work, duration, fact_row, in_turn, ratio_row
from saltseg.inference.section_tiles import Opinions
from saltseg.inference.tiles import predict_tiles
from saltseg.models import survey_model
from saltseg.plumbing.files import read_json
from saltseg.seismic.choices import Along, Members, ScaleOf, SurveyChoices
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.scaling import Scale, grey, measure_scale
from saltseg.seismic.survey import Section, Survey
from saltseg.serving.salt_model import SaltModel
from saltseg.serving.survey_networks import SurveyNetworks
from saltseg.serving.survey_prediction import predict_survey
from saltseg.survey.grid import Grid
from saltseg.survey.sections import make_section
from saltseg.survey.volume_files import write_volume

SEED, SIZE, TILE, REPEATS = 77, (64, 300, 300), 256, 3
CROPS, MONAI, ALONE = (
    "tiles of 101 px, half overlapped, as images are predicted",
    "MONAI's sliding_window_inference, 256 px, Gaussian, overlap .25",
    "the network alone on tiles in memory",
)

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Way = Callable[["Ready", Section], Field]


@dataclass(frozen=True)
class Ready:
    """An open survey with its truth, the networks, and the scale of the survey."""

    survey: Survey
    truth: Mask
    networks: SurveyNetworks
    scale: Scale

    @property
    def threshold(self) -> float:
        return float(read_json(survey_model.FOLDER / "model.json")["threshold"])

    def iou(self, found: Field) -> str:
        mask = found > self.threshold
        return f"{(mask & self.truth).sum() / (mask | self.truth).sum():.3f}"


def rows() -> list[Row]:
    """Measure a line, then a volume."""
    with TemporaryDirectory() as name:
        return [*line_rows(Path(name)), *volume_rows(Path(name))]


def line_rows(folder: Path) -> list[Row]:
    """Predict one section in three ways, in turn."""
    section = make_section(SEED, 2)
    np.save(folder / "line.npy", section.amplitude.T.astype(np.float32))
    told = SurveyOptions(axes="trace,sample")
    with open_survey(folder / "line.npy", told) as survey:
        ready = Ready(survey, section.salt.T, networks(), measured(survey))
        (axis,) = survey.grid.axes
        line = survey.section(axis, int(survey.grid.numbers(axis)[0]))
        found: dict[str, Field] = {}
        works: dict[str, Work] = {
            name: partial(keep, found, name, way, ready, line)
            for name, way in {"": ours, CROPS: by_crops, MONAI: by_monai}.items()
        }
        times = in_turn(works, REPEATS)
    work = f"a line of {line.amplitude.shape[0]} x {line.amplitude.shape[1]}"
    return [
        *(ratio_row(work, name, times[""], times[name], targets(name)) for name in (CROPS, MONAI)),
        *(fact_row(f"IoU by {name or 'saltseg'}", ready.iou(each)) for name, each in found.items()),
    ]


def targets(name: str) -> float | None:
    return 6 if name == CROPS else None


def keep(found: dict[str, Field], name: str, way: "Way", ready: Ready, line: Section) -> None:
    found[name] = way(ready, line)


def ours(ready: Ready, line: Section) -> Field:
    return ready.networks.predict(line, ready.scale).mean


def by_crops(ready: Ready, line: Section) -> Field:
    model = SaltModel(survey_model.FOLDER)
    probabilities = partial(model._probabilities, depth=np.zeros(1, np.float32))
    return predict_tiles(line.amplitude.T, probabilities).T


def by_monai(ready: Ready, line: Section) -> Field:
    if str(peer_packages()) not in sys.path:
        sys.path.append(str(peer_packages()))
    from monai.inferers import sliding_window_inference  # type: ignore[import-not-found]

    def network(windows: torch.Tensor) -> torch.Tensor:
        images, feet = grey(windows[:, 0].numpy()), np.zeros(len(windows), np.float32)
        said = sum(p.test_share * p.predict(images, feet) for p in ready.networks.parts)
        return torch.from_numpy(np.asarray(said, np.float32))[:, None]

    image = np.clip(ready.scale.gained(line.amplitude), -1, 1).T
    inputs = torch.from_numpy(np.ascontiguousarray(image))[None, None]
    side = (TILE, TILE)
    found = sliding_window_inference(inputs, side, 4, network, overlap=0.25, mode="gaussian")
    return np.asarray(found[0, 0].numpy().T)


def volume_rows(folder: Path) -> list[Row]:
    """Predict a volume from file to store, in turn with the networks on tiles cut in advance."""
    write_volume(folder, SEED, Grid(*SIZE), segy=False, workers=2)
    told = SurveyOptions(axes="inline,crossline,sample")
    path = folder / "amplitude.npy"
    choices = SurveyChoices(along=Along.INLINE, tile=TILE)
    with open_survey(path, told) as survey:
        alone, scale = networks(), measured(survey)
        tiles = cut_tiles(survey, scale)

    def whole() -> None:
        predict_survey(path, survey_model.FOLDER, folder / "out", told, choices, force=True)

    def network() -> None:
        for each in tiles:
            alone._opinions(each, scale)

    times = in_turn({"": whole, ALONE: network}, REPEATS)
    work = f"a volume of {' x '.join(map(str, SIZE))} along inlines, from file to store"
    row = ratio_row(work, ALONE, times[""], times[ALONE], 0.8)
    ready = duration(min(times[ALONE]))
    return [row, fact_row("the same tiles, the network alone, at best", ready)]


class TileRecorder(SurveyNetworks):
    """Keeps the tiles that sections are cut into, in place of predicting them."""

    batches: list[Field]

    def _opinions(self, tiles: Field, scale: Scale) -> Opinions:
        self.batches.append(tiles)
        return Opinions(np.zeros_like(tiles), np.zeros_like(tiles))


def cut_tiles(survey: Survey, scale: Scale) -> list[Field]:
    """Return the batches of tiles that a survey's inlines are predicted by."""
    recorder = TileRecorder(survey_model.FOLDER, Members.ALL, TILE, None)
    recorder.batches = []
    for inline in survey.grid.inlines:
        recorder.predict(survey.section("inline", int(inline)), scale)
    return recorder.batches


def networks() -> SurveyNetworks:
    return SurveyNetworks(survey_model.FOLDER, Members.ALL, TILE, None)


def measured(survey: Survey) -> Scale:
    return measure_scale(survey, ScaleOf.SURVEY, 2.0, None)
