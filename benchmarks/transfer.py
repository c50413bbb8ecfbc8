"""Measures what a model makes of surveys that it did not learn from; writes a table.

    python -m benchmarks.transfer MODEL [--sections 16] [--raw FOLDER] [--crops 400]

MODEL: the folder of a model, or `survey`. Sections come from as many synthetic surveys of each
style as are asked for, one each, of a seed that trains nothing. They are predicted as they are,
with the other polarity, and sampled half and twice as densely both ways. IoU is of all pixels of a
style together. `chosen`: of these four views the one whose probabilities are surest, on average, is
taken for each section, without its truth. `inside`: the share found of the salt that is more than
50 pixels from its border, as it is. --raw: crops in Kaggle's layout, likewise.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from saltseg.crops.tgs.raw import read_raw
from saltseg.plumbing.errors import one_line_errors
from saltseg.project.model_folder import find_model, read_settings
from saltseg.seismic.choices import Members, ScaleOf
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.scaling import measure_scale
from saltseg.serving.image_prediction import fetched
from saltseg.serving.salt_model import SaltModel
from saltseg.serving.survey_networks import SurveyNetworks
from saltseg.survey.sections import make_section
from saltseg.survey.style import SECTIONS_PER_SURVEY

SEED = 90210
AS_IT_IS, DEEP = "as it is", 50
VIEWS = {AS_IT_IS: (1.0, 1), "other polarity": (1.0, -1), "half": (0.5, 1), "twice": (2.0, 1)}
"""Density of sampling, and polarity."""

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Predict = Callable[[Field], Field]


@dataclass
class Overlap:
    """Pixels that are salt in both, and in either."""

    both: int = 0
    either: int = 0

    def add(self, mask: Mask, truth: Mask) -> None:
        self.both += int((mask & truth).sum())
        self.either += int((mask | truth).sum())

    @property
    def iou(self) -> float:
        return self.both / max(self.either, 1)


@dataclass
class Row:
    """The overlaps of each view, and of the surest."""

    views: dict[str, Overlap] = field(default_factory=lambda: {name: Overlap() for name in VIEWS})
    chosen: Overlap = field(default_factory=Overlap)
    inside: Overlap = field(default_factory=Overlap)

    def add(self, image: Field, truth: Mask, predict: Predict, threshold: float) -> None:
        """Predict an image in all views, each compared at its own sampling."""
        surest, deep = -1.0, ndimage.distance_transform_edt(np.pad(truth, 1, mode="edge")) > DEEP
        for name, (density, polarity) in VIEWS.items():
            found = predict(resized(image, density) * np.float32(polarity))
            aimed = ndimage.zoom(truth, density, order=0, grid_mode=True, mode="nearest")
            self.views[name].add(found > threshold, aimed)
            if name == AS_IT_IS:
                self.inside.add((found > threshold) & deep[1:-1, 1:-1], deep[1:-1, 1:-1])
            sure = float(np.abs(found - 0.5).mean())
            if sure > surest:
                surest, best = sure, (found > threshold, aimed)
        self.chosen.add(*best)

    def cells(self) -> str:
        values = [each.iou for each in self.views.values()] + [self.chosen.iou, self.inside.iou]
        return " | ".join(f"{value:.3f}" for value in values)


def resized(image: Field, density: float) -> Field:
    """Return an image at another sampling, smoothed first where it gets coarser."""
    smooth = ndimage.gaussian_filter(image, 0.5 / density) if density < 1 else image
    zoomed: Field = ndimage.zoom(smooth, density, order=3, grid_mode=True, mode="nearest")
    return zoomed


def sections(style: str, count: int) -> Iterator[tuple[Field, Mask]]:
    """Yield the amplitude and the salt of sections with salt, one of each survey."""
    number = 0
    while count:
        section = make_section(SEED, SECTIONS_PER_SURVEY * number + number % 8, style)
        number += 1
        if section.salt.any():
            count -= 1
            yield section.amplitude.astype(np.float32), section.salt


def section_predictor(model: Path, clip: float) -> Predict:
    """Return what predicts an image (samples, traces) as `saltseg predict` does a 2D line."""
    networks = SurveyNetworks(model, Members.ALL, 256, None)
    told = SurveyOptions(axes="trace,sample")

    def predict(image: Field) -> Field:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "line.npy"
            np.save(path, image.T)
            with open_survey(path, told) as survey:
                scale = measure_scale(survey, ScaleOf.SURVEY, clip, None)
                (axis,) = survey.grid.axes
                section = survey.section(axis, int(survey.grid.numbers(axis)[0]))
                return networks.predict(section, scale).mean.T

    return predict


def crop_predictor(model: Path) -> Predict:
    """Return what predicts an image as `saltseg predict` does."""
    salt_model = SaltModel(model)

    def predict(image: Field) -> Field:
        low, high = float(image.min()), float(image.max())
        grey = np.rint((image - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
        return salt_model.predict_image(grey).probabilities

    return predict


def crops(raw: Path, count: int) -> Iterator[tuple[Field, Mask]]:
    """Yield evenly spaced training crops of Kaggle's layout."""
    found, _ = read_raw(raw, 2)
    for row in np.linspace(0, len(found.train_images) - 1, count).astype(int):
        yield np.asarray(found.train_images[row], np.float32), np.asarray(found.train_masks[row])


def main(model: str, count: int, raw: Path | None, some: int, clip: float) -> None:
    """Print the table, row by row."""
    print(
        f"| data | {' | '.join(VIEWS)} | chosen | inside |\n|---|{'---|' * (len(VIEWS) + 2)}",
        flush=True,
    )
    with fetched(model, Path()) as folder:
        found = find_model(folder)
        threshold = float(read_settings(found, "threshold")["threshold"])
        of_sections = section_predictor(found, clip)
        for style in ("default", "wide", "apart"):
            row = Row()
            for image, truth in sections(style, count):
                row.add(image, truth, of_sections, threshold)
            print(f"| {style} | {row.cells()} |", flush=True)
        if raw is not None:
            row, of_crops = Row(), crop_predictor(found)
            for image, truth in crops(raw, some):
                row.add(image, truth, of_crops, threshold)
            print(f"| crops | {row.cells()} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What a model makes of other surveys.")
    parser.add_argument("model")
    parser.add_argument("--sections", type=int, default=16)
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--crops", type=int, default=400)
    parser.add_argument("--clip", type=float, default=2.0)
    given = parser.parse_args()
    with one_line_errors():
        main(given.model, given.sections, given.raw, given.crops, given.clip)
