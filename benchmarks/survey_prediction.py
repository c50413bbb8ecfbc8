"""Measures how to predict surveys, on a synthetic volume with its truth; writes a page.

    saltseg survey VOLUME --volume 120x120x200 --seed 77
    python -m benchmarks.survey_prediction MODEL VOLUME... [--every N] [--out FILE]

MODEL: a folder of an exported model, or `survey`; VOLUME: the folder of a volume. Every N-th
section is predicted along both axes. IoU is over all their pixels at the model's threshold, or over
the traces that both axes have in common; error is the expected calibration error there.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.side_by_side import ROOT
from saltseg.inference.tiles import predict_tiles
from saltseg.plumbing.files import read_json
from saltseg.plumbing.machine import cpu_model
from saltseg.project.model_folder import find_model, read_settings
from saltseg.seismic.choices import Members, ScaleOf
from saltseg.seismic.grid import CROSSLINE, INLINE
from saltseg.seismic.opening import open_survey
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.scaling import measure_scale
from saltseg.seismic.survey import Section, Survey
from saltseg.selection.calibration import Calibration, count_pixels, reliability, together
from saltseg.serving.image_prediction import fetched
from saltseg.serving.salt_model import SaltModel
from saltseg.serving.survey_networks import SurveyNetworks

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Predict = Callable[[Section], Field]


@dataclass(frozen=True)
class Bench:
    """The volume, its truth, (inlines, crosslines, samples), and the model's settings."""

    survey: Survey
    truth: Mask
    model: Path
    threshold: float
    calibration: Calibration
    every: int

    def places(self, axis: str) -> range:
        return range(self.every // 2, len(self.survey.grid.numbers(axis)), self.every)

    def along(self, axis: str, predict: Predict) -> tuple[Field, float]:
        """Return probabilities, (sections, traces, samples), and the seconds of a section."""
        sections = [
            self.survey.section(axis, int(self.survey.grid.numbers(axis)[at]))
            for at in self.places(axis)
        ]
        predict(sections[0])  # what is set up once
        started = perf_counter()
        found = np.stack([predict(section) for section in sections])
        return found, (perf_counter() - started) / len(sections)

    def truth_along(self, axis: str) -> Mask:
        if axis == INLINE:
            return self.truth[list(self.places(axis))]
        return self.truth[:, list(self.places(axis))].swapaxes(0, 1)

    def figures(self, found: npt.NDArray[Any], truth: Mask) -> str:
        """Return IoU, and the calibration error before and after, as cells of a table."""
        mask = found > self.threshold
        iou = (mask & truth).sum() / max((mask | truth).sum(), 1)
        kinds: tuple[npt.NDArray[Any], ...] = (found, self.calibration.apply(found))
        errors = [
            reliability(together(count_pixels(kind.astype(np.float16), truth))).error
            for kind in kinds
        ]
        return f"{iou:.3f} | {errors[0]:.3f} | {errors[1]:.3f}"


def engine(
    bench: Bench, tile: int, members: Members, of: ScaleOf, clip: float, gain: int | None
) -> Predict:
    networks = SurveyNetworks(bench.model, members, tile, None)
    scale = measure_scale(bench.survey, of, clip, gain)
    return lambda section: networks.predict(section, scale).mean


def images_path(bench: Bench) -> Predict:
    """Return how images are predicted: crops' tiles, half overlapped, by their own extremes."""
    model = SaltModel(bench.model)
    probabilities = partial(model._probabilities, depth=np.zeros(1, np.float32))
    return lambda section: predict_tiles(section.amplitude.T, probabilities).T


def rows(bench: Bench) -> list[str]:
    usual = {"tile": 256, "members": Members.ALL, "of": ScaleOf.SURVEY, "clip": 2.0, "gain": None}
    cases: list[tuple[str, Predict]] = [("as images: 101 px, own extremes", images_path(bench))]
    cases += [
        (name, engine(bench, **(usual | changes)))  # type: ignore[arg-type]
        for name, changes in (
            ("256 px, survey's scale, clip 2", {}),
            ("128 px", {"tile": 128}),
            ("192 px", {"tile": 192}),
            ("512 px", {"tile": 512}),
            ("256 px, tile's own extremes", {"of": ScaleOf.TILE, "clip": 0.0}),
            ("clip 0", {"clip": 0.0}),
            ("clip 0.1", {"clip": 0.1}),
            ("clip 0.5", {"clip": 0.5}),
            ("clip 5", {"clip": 5.0}),
            ("gain over 100 samples", {"gain": 100}),
            ("members fast", {"members": Members.FAST}),
        )
    ]
    lines = []
    for name, predict in cases:
        found, seconds = bench.along(INLINE, predict)
        lines.append(
            f"| {name} | {bench.figures(found, bench.truth_along(INLINE))} | {seconds:.2f} |"
        )
        print(lines[-1], flush=True)
    return lines


def axis_rows(bench: Bench) -> list[str]:
    """Compare axes on the traces that both have."""
    predict = engine(bench, 256, Members.ALL, ScaleOf.SURVEY, 2.0, None)
    inline = bench.along(INLINE, predict)[0][:, list(bench.places(CROSSLINE))]
    crossline = bench.along(CROSSLINE, predict)[0][:, list(bench.places(INLINE))].swapaxes(0, 1)
    truth = bench.truth_along(INLINE)[:, list(bench.places(CROSSLINE))]
    kinds: dict[str, npt.NDArray[Any]] = {
        "inlines": inline,
        "crosslines": crossline,
        "both": (inline + crossline) / 2,
    }
    return [f"| {name} | {bench.figures(found, truth)} |" for name, found in kinds.items()]


def tables(bench: Bench, volume: Path) -> list[str]:
    """Return the tables of one volume."""
    about = read_json(volume / "volume.json")
    shape = " x ".join(map(str, bench.truth.shape))
    heads = "IoU | error | error, calibrated"
    return [
        f"## {shape}, style {about['style']}, seed {about['seed']}",
        f"{bench.truth.mean():.1%} salt; every {bench.every}th section.",
        "",
        f"| inlines | {heads} | seconds |",
        "|---|---|---|---|---|",
        *rows(bench),
        "",
        f"| sections along | {heads} |",
        "|---|---|---|---|",
        *axis_rows(bench),
        "",
    ]


def measure(model: Path, volume: Path, every: int) -> list[str]:
    """Measure one volume."""
    settings = read_settings(model, "threshold", "calibration")
    told = SurveyOptions(axes="inline,crossline,sample")
    with open_survey(volume / "amplitude.npy", told) as survey:
        calibration = Calibration(**settings["calibration"])
        truth = np.load(volume / "salt.npy")
        threshold = float(settings["threshold"])
        return tables(Bench(survey, truth, model, threshold, calibration, every), volume)


def main() -> None:
    parser = argparse.ArgumentParser(description="How to predict surveys.")
    parser.add_argument("model")
    parser.add_argument("volumes", type=Path, nargs="+", metavar="VOLUME")
    parser.add_argument("--every", type=int, default=8)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "surveys.md")
    options = parser.parse_args()
    with fetched(options.model, Path()) as folder:
        model = find_model(folder)
        lines = [line for each in options.volumes for line in measure(model, each, options.every)]
    head = [
        "# Surveys",
        f"`python -m benchmarks.survey_prediction {Path(options.model).name} VOLUME...` measures"
        f" this again. {date.today()}, {cpu_model()}. Seconds are of one section, on a machine that"
        " other work may have shared. Unnamed settings are those of the second line.",
        "",
    ]
    options.out.write_text("\n".join(head + lines), encoding="utf-8")


if __name__ == "__main__":
    main()
