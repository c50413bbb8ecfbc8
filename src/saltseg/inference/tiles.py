"""Prediction of images of any size by overlapping tiles of a crop's size, blended smoothly.

Each tile is scaled to 8 bits by its own minimum and maximum, like the training crops. Tiles overlap
by half or more and count least at their borders, where a network has the least context, so that
neighbouring tiles blend without a seam.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP
from saltseg.plumbing.progress import progress

Tiles = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]
Place = tuple[slice, slice]
"""The rows and columns of a tile."""

AT_ONCE = 256
"""Tiles cut and predicted together; bounds the memory beside the image's own."""

_STEP = CROP // 2


def predict_tiles(
    image: npt.NDArray[Any], predict: Callable[[Tiles], Probabilities], name: str = ""
) -> Probabilities:
    """Return the probability of each pixel of `image`, shape (h, w): a mean over its tiles.

    image: real numbers, all finite. predict: from tiles, uint8 (n, 101, 101), to probabilities,
    float32 of the same shape. name: label of the progress bar; without a name none is shown.

    The weights are squared sines over a tile's rows and columns (a Hann window), above zero
    everywhere. An image smaller than a tile is padded by mirroring.
    """
    padded, inner = _padded(image)
    rows, columns = (tile_starts(length) for length in padded.shape)
    window = _window()
    total = np.zeros(padded.shape)
    steps: Iterable[tuple[Place, Probabilities]] = _predicted(
        padded, list(product(_slices(rows), _slices(columns))), predict
    )
    if name:
        steps = progress(steps, name, len(rows) * len(columns))
    for place, probabilities in steps:
        total[place] += np.outer(window, window) * probabilities
    total /= np.outer(_cover(rows, len(padded)), _cover(columns, padded.shape[1]))
    return total[inner].astype(np.float32)


def tile_starts(length: int) -> list[int]:
    """Return the starts of tiles that cover `length` pixels evenly, at most half a tile apart."""
    count = -(-(length - CROP) // _STEP) + 1
    return [int(start) for start in np.linspace(0, length - CROP, count).round()]


def to_eight_bits(image: npt.NDArray[Any]) -> Tiles:
    """Scale the minimum to 0 and the maximum to 255; a constant image becomes 0."""
    lifted = from_lowest(image)
    high = float(lifted.max())
    if high <= 0:
        return np.zeros(image.shape, np.uint8)
    return np.rint(lifted * (255 / high)).astype(np.uint8)


def from_lowest(image: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return each value minus the minimum, scaled by a power of two: float64.

    The scale avoids overflow, both of differences of the largest floats and of 255 divided by those
    of the smallest, and is otherwise exact. 64-bit integers are subtracted without loss.
    """
    low = image.min()
    if image.dtype.kind in "ui":
        # Differences are exact modulo 2^64, and smaller than that.
        return (image.astype(np.uint64) - low.astype(np.uint64)).astype(np.float64)
    values = image.astype(np.float64)
    _, exponent = np.frexp(max(abs(float(low)), abs(float(image.max()))))
    scaled: npt.NDArray[np.float64] = np.ldexp(values, -int(exponent))
    return scaled - scaled.min()


def _predicted(
    image: npt.NDArray[Any],
    places: list[Place],
    predict: Callable[[Tiles], Probabilities],
) -> Iterator[tuple[Place, Probabilities]]:
    """Yield each place with the probabilities of its tile."""
    for start in range(0, len(places), AT_ONCE):
        part = places[start : start + AT_ONCE]
        tiles = np.stack([to_eight_bits(image[place]) for place in part])
        yield from zip(part, predict(tiles), strict=True)


def _padded(image: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Place]:
    """Return the image, padded by mirroring to at least a tile, and its position in there."""
    missing = [max(CROP - length, 0) for length in image.shape]
    padded = np.pad(image, [(each // 2, each - each // 2) for each in missing], mode="symmetric")
    height, width = (
        slice(each // 2, each // 2 + length)
        for each, length in zip(missing, image.shape, strict=True)
    )
    return padded, (height, width)


def _slices(starts: list[int]) -> list[slice]:
    return [slice(start, start + CROP) for start in starts]


def _window() -> npt.NDArray[np.float64]:
    return np.sin(np.pi * (np.arange(CROP) + 0.5) / CROP) ** 2


def _cover(starts: list[int], length: int) -> npt.NDArray[np.float64]:
    """Return the sum of all tiles' weights along one axis: float64, shape (length,)."""
    cover = np.zeros(length)
    for place in _slices(starts):
        cover[place] += _window()
    return cover
