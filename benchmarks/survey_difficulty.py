"""How hard the synthetic survey is, method by method, and whether real crops rank them alike.

    python benchmarks/survey_difficulty.py [--raw FOLDER] [--train 2000] [--test 1000]
    python benchmarks/survey_difficulty.py --raw FOLDER --transfer --seeds 3  # one row, one seed

Each seed is a survey of its own, whose train and test crops come from different sections, and a
division of the real train crops of its own, by mosaics. `--raw` names Kaggle's files; without it
only the survey is measured. Each method learns from the train crops, chooses on them where
probability becomes salt and how small a mask is dropped, and is scored once, on the test crops.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from lightning_fabric import Fabric
from scipy import ndimage
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor, nn
from torch.nn import functional

from saltseg.config.model_definitions import CROP
from saltseg.config.params import load_params
from saltseg.config.sections import Optimizer, Runtime
from saltseg.crops.crop_set import CropSet, depth
from saltseg.crops.folds import assign_folds
from saltseg.crops.mosaics import describe_mosaics
from saltseg.crops.tgs import read_raw
from saltseg.inference.predictor import predict_all
from saltseg.learning.batches import AugmentedBatches
from saltseg.learning.losses import bce
from saltseg.learning.optimizers import create_optimizer
from saltseg.learning.schedules import cosine
from saltseg.learning.training_sets import LabelledCrops, split_by_fold
from saltseg.models.devices import create_fabric
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.scoring.metric import precision, precision_curve, salt_masks
from saltseg.survey import generate

Probabilities = npt.NDArray[np.float16]
Floats = npt.NDArray[np.floating[Any]]
Predict = Callable[[LabelledCrops], Probabilities]
Fit = Callable[[LabelledCrops, int], list[Predict]]
"""Learns from crops with a seed; where it gives several, the best on these crops is taken."""

THRESHOLDS = np.round(np.linspace(0.05, 0.95, 19), 2)
LEAST_AREAS = (0, 50, 200, 500, 1000, 2000, 4000, 8000, CROP**2)
SCALES = (2, 4, 8)
"""Standard deviations of the Gaussian windows of texture, in pixels."""
CHUNK = 200
"""Crops whose features are held in memory together."""
PIXELS = 100
"""Pixels of a crop that the boosted trees learn from."""
EPOCHS = 8
"""Epochs of the U-Net."""


@dataclass(frozen=True)
class Parts:
    """Crops to learn and to choose from, and crops to score on."""

    train: LabelledCrops
    test: LabelledCrops


@dataclass(frozen=True)
class Method:
    """What gives masks: probabilities, the threshold, and the area below which a mask is empty."""

    predict: Predict
    threshold: float
    least_area: int

    def score(self, crops: LabelledCrops) -> float:
        """Return the mean precision."""
        masks = salt_masks(self.predict(crops), self.threshold)
        masks[masks.sum(axis=(1, 2)) < self.least_area] = False
        return float(precision(masks, crops.masks).mean())


def tune(candidates: Sequence[Predict], crops: LabelledCrops) -> Method:
    """Choose candidate, threshold and least area by the mean precision on `crops`."""
    found = [_tuned(predict, crops) for predict in candidates]
    return max(found, key=lambda pair: pair[0])[1]


def _tuned(predict: Predict, crops: LabelledCrops) -> tuple[float, Method]:
    probabilities = predict(crops)
    scores = precision_curve(probabilities, crops.masks, THRESHOLDS)
    areas = np.stack([salt_masks(probabilities, t).sum(axis=(1, 2)) for t in THRESHOLDS], axis=1)
    empty = crops.masks.sum(axis=(1, 2))[:, None] == 0
    means = np.array([np.where(areas < a, empty, scores).mean(axis=0) for a in LEAST_AREAS])
    area, threshold = np.unravel_index(means.argmax(), means.shape)
    method = Method(predict, float(THRESHOLDS[threshold]), LEAST_AREAS[area])
    return float(means.max()), method


def fit_nothing(train: LabelledCrops, seed: int) -> list[Predict]:
    """Call every crop empty."""
    return [lambda crops: np.zeros(crops.masks.shape, np.float16)]


def fit_variance(train: LabelledCrops, seed: int) -> list[Predict]:
    """Call salt where the local standard deviation is small, in windows of several sizes."""
    return [partial(quietness, scale) for scale in SCALES]


def quietness(scale: int, crops: LabelledCrops) -> Probabilities:
    """Return 1 where a window has no variance, .5 where its deviation is 12 grey values."""
    parts = [local_deviation(part.astype(np.float32), scale) for part in _chunks(crops.images)]
    return (1 / (1 + np.concatenate(parts) / 12)).astype(np.float16)


def local_deviation(images: Floats, scale: int) -> Floats:
    """Return the standard deviation in a Gaussian window around each pixel of each image."""
    variance = _smooth(images**2, scale) - _smooth(images, scale) ** 2
    return np.sqrt(np.maximum(variance, 0))


def _smooth(images: Floats, scale: float) -> Floats:
    smooth: Floats = ndimage.gaussian_filter(images, (0, scale, scale), truncate=3)
    return smooth


def _chunks(images: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    return [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]


def texture(images: npt.NDArray[np.uint8]) -> Floats:
    """Describe every second pixel of every second row: float32 (n, 51, 51, 13).

    Grey, and in three windows its mean, its deviation and the mean size of either derivative.
    """
    grey = images.astype(np.float32)
    down, across = np.gradient(grey, axis=(1, 2))
    features = [grey]
    for scale in SCALES:
        features += [_smooth(grey, scale), local_deviation(grey, scale)]
        features += [_smooth(np.abs(down), scale), _smooth(np.abs(across), scale)]
    return np.stack([feature[:, ::2, ::2] for feature in features], axis=3)


def fit_texture(train: LabelledCrops, seed: int) -> list[Predict]:
    """Learn salt pixel by pixel from texture, with gradient-boosted trees."""
    draws = generator(seed, "texture")
    pixels, labels = [], []
    for start in range(0, len(train), CHUNK):
        features = texture(train.images[start : start + CHUNK])
        chosen = draws.integers(0, 51, (2, len(features), PIXELS))
        at = np.arange(len(features))[:, None], *chosen
        pixels.append(features[at].reshape(-1, features.shape[3]))
        labels.append(train.masks[start : start + CHUNK, ::2, ::2][at].ravel())
    trees = HistGradientBoostingClassifier(random_state=seed)
    trees.fit(np.concatenate(pixels), np.concatenate(labels))
    return [lambda crops: _predict_texture(trees, crops.images)]


def _predict_texture(
    trees: HistGradientBoostingClassifier, images: npt.NDArray[np.uint8]
) -> Probabilities:
    parts = []
    for part in _chunks(images):
        features = texture(part)
        salt = trees.predict_proba(features.reshape(-1, features.shape[3]))[:, 1]
        half = salt.reshape(features.shape[:3]).astype(np.float32)
        full = half.repeat(2, axis=1).repeat(2, axis=2)[:, :CROP, :CROP]
        parts.append(_smooth(full, 2).astype(np.float16))
    return np.concatenate(parts)


class SmallUnet(nn.Module):
    """Four levels of two normalised convolutions each, 16 to 64 channels: 0.30 M weights."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([_level(1, 16), _level(16, 32), _level(32, 64), _level(64, 64)])
        self.up = nn.ModuleList([_level(48, 16), _level(96, 32), _level(128, 64)])
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Conv2d(16, 1, 1)

    def forward(self, images: Tensor, depth: Tensor) -> Tensor:
        """Map (n, 101, 101) in 0..1 to logits of that shape, at half the resolution in between."""
        features = _resize((images[:, None] - 0.47) / 0.16, 48)
        skips = [self.down[0](features.contiguous(memory_format=torch.channels_last))]
        for level in self.down[1:]:
            skips.append(level(self.pool(skips[-1])))
        features = skips.pop()
        for level in reversed(self.up):
            skip = skips.pop()
            features = level(torch.cat([_resize(features, skip.shape[-1]), skip], dim=1))
        return _resize(self.head(features), CROP)[:, 0].float()


def _resize(images: Tensor, size: int) -> Tensor:
    return functional.interpolate(images, (size, size), mode="bilinear", align_corners=False)


def _level(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        convolution = nn.Conv2d(channels, outputs, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def fit_unet(train: LabelledCrops, seed: int) -> list[Predict]:
    """Train the small U-Net at half the resolution: 8 epochs, cross-entropy, one cosine."""
    fabric = create_fabric(Runtime(workers=0, accelerator="auto", precision="auto"))
    torch.manual_seed(seed)
    network = SmallUnet().to(memory_format=torch.channels_last)
    settings = Optimizer(name="adamw", weight_decay=0.01, momentum=0.9)
    model, optimizer = fabric.setup(network, create_optimizer(network, settings))
    batches = AugmentedBatches(train, 16, "flip", seed)
    steps = EPOCHS * batches.count
    for step in range(steps):
        images, masks, z = fabric.to_device(batches[divmod(step, batches.count)])
        for group in optimizer.param_groups:
            group["lr"] = cosine(step, steps, 0.003, 0.00003)
        optimizer.zero_grad()
        fabric.backward(bce(model(images / 255, z), masks))
        optimizer.step()
    return [lambda crops: _predict_unet(model, crops, fabric)]


def _predict_unet(model: nn.Module, crops: LabelledCrops, fabric: Fabric) -> Probabilities:
    probabilities = predict_all(model, crops.images, crops.depth, fabric, flip=False)
    return probabilities.astype(np.float16)


METHODS: dict[str, Fit] = {
    "all empty": fit_nothing,
    "local variance": fit_variance,
    "boosted texture": fit_texture,
    "small U-Net": fit_unet,
}
TRANSFER = "U-Net of the other"


def survey_parts(train: int, test: int, seed: int, workers: int) -> Parts:
    """Make a survey; its train crops keep their label noise, its test crops have none."""
    survey = generate(train, test, seed, workers)
    crops = survey.crops
    return Parts(
        LabelledCrops(crops.train_images, crops.train_masks, depth(crops.train)),
        LabelledCrops(crops.test_images, survey.test_masks, depth(crops.test)),
    )


@dataclass(frozen=True)
class RealCrops:
    """The real crops, and the table of the train crops with `coverage_class` and `mosaic`."""

    crops: CropSet
    train: pd.DataFrame


def read_real(folder: Path, workers: int) -> RealCrops:
    """Read Kaggle's files and find which train crops belong together."""
    crops, _ = read_raw(folder, workers)
    table, _ = describe_mosaics(crops, load_params(Layout(Path()).params).coverage_stratify)
    return RealCrops(crops, table[table["split"] == "train"])


def real_parts(real: RealCrops, train: int, test: int, seed: int) -> Parts:
    """Divide the real train crops by mosaics, a third to score on, and draw from either part."""
    folds = assign_folds(real.train, 3, "coverage_grouped", seed)
    learn, score = split_by_fold(real.crops, folds, 0)
    draws = generator(seed, "difficulty")
    return Parts(_some(learn, train, draws), _some(score, test, draws))


def _some(crops: LabelledCrops, count: int, draws: np.random.Generator) -> LabelledCrops:
    chosen = np.sort(draws.permutation(len(crops))[:count])
    return LabelledCrops(crops.images[chosen], crops.masks[chosen], crops.depth[chosen])


Scores = dict[str, dict[str, list[float]]]
"""Scores of the seeds by set ("survey", "real") and method."""


def measure(sets: dict[str, Parts], seed: int, scores: Scores) -> None:
    """Add the scores of one seed, and tell each as it comes."""
    learned: dict[str, Method] = {}  # by set, the last method: the U-Net
    for name, parts in sets.items():
        for method, fit in METHODS.items():
            learned[name] = tune(fit(parts.train, seed), parts.train)
            _add(scores, name, method, seed, learned[name].score(parts.test))
    for name, other in (("survey", "real"), ("real", "survey")):
        if other in learned:
            _add(scores, name, TRANSFER, seed, learned[other].score(sets[name].test))


def measure_transfer(sets: dict[str, Parts], seed: int, scores: Scores) -> None:
    """Add the score on real crops of the U-Net that learned from the survey, and nothing else."""
    train = sets["survey"].train
    learned = tune(fit_unet(train, seed), train)
    _add(scores, "real", TRANSFER, seed, learned.score(sets["real"].test))


def _add(scores: Scores, name: str, method: str, seed: int, score: float) -> None:
    scores.setdefault(name, {}).setdefault(method, []).append(score)
    print(f"seed {seed}: {name}: {method}: {score:.3f}", flush=True)


def report(scores: Scores) -> None:
    """Print mean and standard deviation over the seeds of each method."""
    print(f"{'method':20}" + "".join(f"{name:>18}" for name in scores))
    for method in [*METHODS, TRANSFER]:
        cells = [_cell(scores[name].get(method, [])) for name in scores]
        print(f"{method:20}" + "".join(f"{cell:>18}" for cell in cells))


def _cell(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{mean(values):.3f} +- {stdev(values) if len(values) > 1 else 0:.3f}"


def check(scores: Scores) -> None:
    """Print whether the survey is as hard as it should be."""
    means = {name: {m: mean(v) for m, v in lines.items()} for name, lines in scores.items()}
    survey, real = means.get("survey"), means.get("real")
    if survey:
        gain = survey["local variance"] - survey["all empty"]
        _verdict("variance gains at most .06 over all empty", f"{gain:.3f}", gain <= 0.06)
    if survey and real:
        orders = [sorted(METHODS, key=lambda method: lines[method]) for lines in (survey, real)]
        _verdict("the same order on both", " < ".join(orders[0]), orders[0] == orders[1])
        apart = survey["small U-Net"] - real["small U-Net"]
        _verdict("U-Net within .08 of its real score", f"{apart:+.3f}", abs(apart) <= 0.08)
    if real:
        transfer = real[TRANSFER]
        _verdict("U-Net of the survey at least .52 on real", f"{transfer:.3f}", transfer >= 0.52)


def _verdict(name: str, figure: str, reached: bool) -> None:
    print(f"{name}: {figure}: {'reached' if reached else 'MISSED'}")


def main() -> None:
    """Measure all methods on all seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, help="folder of Kaggle's files")
    parser.add_argument("--train", type=int, default=2000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--transfer", action="store_true", help="that row only; needs --raw")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if options.workers < 0:
        parser.error(f"--workers: {options.workers} is negative; 0 is none beside this process")
    if options.transfer and not options.raw:
        parser.error("--transfer scores on real crops: name their folder with --raw")
    real = read_real(options.raw, options.workers) if options.raw else None
    scores: Scores = {}
    for seed in options.seeds:
        sets = {"survey": survey_parts(options.train, options.test, seed, options.workers)}
        if real:
            sets["real"] = real_parts(real, options.train, options.test, seed)
        (measure_transfer if options.transfer else measure)(sets, seed, scores)
    report(scores)
    check(scores)


if __name__ == "__main__":
    with one_line_errors():
        main()
