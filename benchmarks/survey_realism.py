"""How far the synthetic survey is from the real crops, statistic by statistic.

    python benchmarks/survey_realism.py [--crops 2000] [--seed 1] [--workers 2]

The real figures are those of all 4,000 train crops of the TGS Salt Identification Challenge, black
crops included where brightness is averaged and left out where a crop's texture is measured. A row
of quantiles is within reach when its median is within 15% of the real one, a row of shares when
none is off by more than .03.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from saltseg.survey import generate

Floats = npt.NDArray[np.floating[Any]]
Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Crops:
    """Images (uint8), masks (bool) and depths (feet) of some crops."""

    images: npt.NDArray[np.uint8]
    masks: Masks
    depths: npt.NDArray[np.int64]

    @property
    def salt(self) -> Masks:
        """Masks of the crops that hold salt."""
        return self.masks[self.with_salt]

    @property
    def with_salt(self) -> npt.NDArray[np.bool_]:
        """Which crops hold salt."""
        return np.asarray(self.masks.any(axis=(1, 2)))

    @property
    def black(self) -> npt.NDArray[np.bool_]:
        """Which crops are black."""
        return np.asarray(self.images.max(axis=(1, 2)) == 0)

    @property
    def lit(self) -> tuple[Floats, Masks]:
        """Images and masks of the crops that are not black."""
        return self.images[~self.black].astype(np.float32), self.masks[~self.black]

    @property
    def mixed(self) -> tuple[Floats, Masks]:
        """Images and masks of the crops with 10% to 90% salt."""
        coverage = self.masks.mean(axis=(1, 2))
        chosen = (coverage > 0.1) & (coverage < 0.9)
        return self.images[chosen].astype(np.float32), self.masks[chosen]


def class_shares(crops: Crops) -> Floats:
    """Shares of the coverage classes ceil(10 * coverage), 0 to 10."""
    classes = -(-10 * crops.masks.sum(axis=(1, 2)) // crops.masks[0].size)
    return np.bincount(classes, minlength=11) / len(classes)


def column_shares(crops: Crops) -> Floats:
    """Shares of salt masks with a full column, and with full columns only."""
    full: Masks = np.asarray(crops.salt.all(axis=1))
    some: Masks = np.asarray(crops.salt.any(axis=1))
    return np.array([full.any(axis=1).mean(), (full == some).all(axis=1).mean()])


def touch_shares(crops: Crops) -> Floats:
    """Shares of salt masks that touch the top, bottom, left and right border."""
    sides = (np.s_[:, 0], np.s_[:, -1], np.s_[:, :, 0], np.s_[:, :, -1])
    return np.array([crops.salt[side].any(axis=1).mean() for side in sides])


def component_shares(crops: Crops) -> Floats:
    """Shares of salt masks with one, two, and more components."""
    counts = np.array([ndimage.label(mask)[1] for mask in crops.salt])
    return np.array([(counts == 1).mean(), (counts == 2).mean(), (counts >= 3).mean()])


def top_roughness(crops: Crops) -> Floats:
    """Quartiles of mean |dz/dx| of the top boundary inside the crop, over 10 columns or more."""
    means = []
    for mask in crops.salt:
        top = mask.argmax(axis=0).astype(int)
        seen = mask.any(axis=0) & (top > 0)
        steps = np.abs(np.diff(top))[seen[1:] & seen[:-1]]
        if len(steps) >= 10:
            means.append(steps.mean())
    return np.percentile(means, [25, 50, 75])


def shares_by_depth(
    flags: npt.NDArray[np.bool_], depths: npt.NDArray[np.int64], edges: Sequence[int]
) -> Floats:
    """Share of flagged crops in each interval of depth."""
    bins = np.digitize(depths, edges) - 1
    return np.array([flags[bins == number].mean() for number in range(len(edges) - 1)])


def centroid(crops: Crops, axis: int) -> Floats:
    """Quantiles of the centroid of power over wavenumber along an axis, in cycles per pixel."""
    images, _ = crops.lit
    centred = images - images.mean(axis=(1, 2), keepdims=True)
    window = np.hanning(images.shape[axis]).reshape((1, -1, 1) if axis == 1 else (1, 1, -1))
    power = (np.abs(np.fft.rfft(centred * window, axis=axis)) ** 2).sum(axis=3 - axis)
    wavenumbers = np.fft.rfftfreq(images.shape[axis])
    return np.percentile((power * wavenumbers).sum(axis=1) / power.sum(axis=1), [5, 50, 95])


def kurtosis(crops: Crops) -> Floats:
    """Quartiles of the excess kurtosis of a crop's grey."""
    images, _ = crops.lit
    centred = images - images.mean(axis=(1, 2), keepdims=True)
    variance = (centred**2).mean(axis=(1, 2))
    return np.percentile((centred**4).mean(axis=(1, 2)) / variance**2 - 3, [25, 50, 75])


def contrast_ratio(crops: Crops) -> Floats:
    """Quartiles of the standard deviation inside salt over that outside, per mixed crop."""
    ratios = [
        image[mask].std() / image[~mask].std() for image, mask in zip(*crops.mixed, strict=True)
    ]
    return np.percentile(ratios, [25, 50, 75])


def boundary_amplitude(crops: Crops) -> Floats:
    """Quartiles of mean |amplitude| within 2 px of the outline over the crop's mean."""
    ratios = []
    for image, mask in zip(*crops.mixed, strict=True):
        grown = ndimage.binary_dilation(mask, iterations=2)
        near = grown & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)
        amplitude = np.abs(image - image.mean())
        ratios.append(amplitude[near].mean() / amplitude.mean())
    return np.percentile(ratios, [25, 50, 75])


def inside_outside(values: Floats, masks: Masks) -> Floats:
    """Means over all pixels inside salt and outside."""
    return np.array([values[masks].mean(), values[~masks].mean()])


def gradient(images: npt.NDArray[np.uint8]) -> Floats:
    """Magnitude of the gradient, grey values per pixel."""
    down, across = np.gradient(images.astype(np.float32), axis=(1, 2))
    magnitude: Floats = np.hypot(down, across)
    return magnitude


def range_share(crops: Crops) -> Floats:
    """Share of all crops, black ones too, that reach 0 and 255 or stop one level short."""
    least, largest = crops.images.min(axis=(1, 2)), crops.images.max(axis=(1, 2))
    return np.array([((least <= 1) & (largest >= 254)).mean()])


def depth_figures(crops: Crops) -> Floats:
    """Least, mean and largest depth."""
    return np.array([crops.depths.min(), crops.depths.mean(), crops.depths.max()])


SALT_DEPTHS = [0, 200, 300, 400, 500, 600, 700, 800, 10_000]
BLACK_DEPTHS = [0, 100, 200, 250, 300, 400]


@dataclass(frozen=True)
class Row:
    """A statistic, its real figures, and whether these are shares."""

    name: str
    real: tuple[float, ...]
    shares: bool
    measure: Callable[[Crops], Floats]

    def distance(self, figures: Floats) -> float:
        """Largest difference of shares; relative difference of the middle figure, or of all."""
        real = np.array(self.real)
        if self.shares:
            return float(np.abs(figures - real).max())
        relative = np.abs(figures / real - 1)
        return float(relative[1] if len(real) == 3 else relative.max())


ROWS = [
    Row(
        "coverage classes 0..10",
        (0.3905, 0.144, 0.074, 0.056, 0.0465, 0.05625, 0.05125, 0.0435, 0.037, 0.03975, 0.06125),
        True,
        class_shares,
    ),
    Row("masks of 100 px or less", (0.069,), True, lambda c: np.array([_small(c)])),
    Row("a full column, only full columns", (0.43, 0.046), True, column_shares),
    Row("touches top, bottom, left, right", (0.66, 0.77, 0.63, 0.67), True, touch_shares),
    Row("components 1, 2, 3+", (0.918, 0.073, 0.009), True, component_shares),
    Row("top roughness |dz/dx| 25/50/75%", (0.67, 1.16, 2.16), False, top_roughness),
    Row("depth least, mean, largest", (51, 507, 959), False, depth_figures),
    Row("depth deviation", (208,), False, lambda c: np.array([c.depths.std()])),
    Row(
        "share with salt by depth",
        (0.25, 0.49, 0.67, 0.70, 0.70, 0.70, 0.63, 0.49),
        True,
        lambda c: shares_by_depth(c.with_salt, c.depths, SALT_DEPTHS),
    ),
    Row("black crops", (0.020,), True, lambda c: np.array([c.black.mean()])),
    Row(
        "black crops by depth",
        (0.32, 0.11, 0.06, 0.04, 0.011),
        True,
        lambda c: shares_by_depth(c.black, c.depths, BLACK_DEPTHS),
    ),
    Row(
        "deviation of grey 5/50/95%",
        (15.5, 28.2, 42),
        False,
        lambda c: np.percentile(c.lit[0].std(axis=(1, 2)), [5, 50, 95]),
    ),
    Row("crops over the full range", (0.94,), True, range_share),
    Row("kurtosis 25/50/75%", (0.39, 1.92, 5.40), False, kurtosis),
    Row("vertical centroid 5/50/95%", (0.022, 0.051, 0.148), False, lambda c: centroid(c, 1)),
    Row("lateral centroid 5/50/95%", (0.012, 0.038, 0.111), False, lambda c: centroid(c, 2)),
    Row(
        "grey inside, outside salt",
        (122.0, 119.8),
        False,
        lambda c: inside_outside(c.images.astype(np.float64), c.masks),
    ),
    Row(
        "gradient inside, outside salt",
        (6.5, 12.4),
        False,
        lambda c: inside_outside(gradient(c.images), c.masks),
    ),
    Row("deviation inside/outside 25/50/75%", (0.59, 0.79, 1.04), False, contrast_ratio),
    Row("amplitude at outline 25/50/75%", (1.47, 2.18, 3.00), False, boundary_amplitude),
]


def _small(crops: Crops) -> float:
    return float((crops.salt.sum(axis=(1, 2)) <= 100).mean())


def report(crops: Crops) -> None:
    """Print the table."""
    print(f"{'statistic':36} {'real':44} {'survey':44} distance")
    for row in ROWS:
        figures = row.measure(crops)
        distance = row.distance(figures)
        reached = distance <= (0.03 if row.shares else 0.15)
        real, survey = _figures(np.array(row.real)), _figures(figures)
        print(f"{row.name:36} {real:44} {survey:44} {distance:.3f} {'' if reached else 'FAR'}")


def _figures(values: Floats) -> str:
    return " ".join(f"{value:.3g}".removeprefix("0") or "0" for value in values)


def main() -> None:
    """Make a survey and print its distance from the real crops."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    crops = generate(options.crops, 1, options.seed, options.workers).crops
    depths = crops.train["depth"].to_numpy()
    report(Crops(crops.train_images, crops.train_masks, depths))


if __name__ == "__main__":
    main()
