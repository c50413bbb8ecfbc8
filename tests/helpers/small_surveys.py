"""Small surveys with salt, a line, and gaps."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from tests.seismic.conftest import CROSSLINES, INLINES, small
from tests.seismic.segy_writer import Segy, grid_headers, volume

SHAPE = 6, 5, 40
Mask = npt.NDArray[np.bool_]


def blobs(shape: tuple[int, int, int] = SHAPE, seed: int = 1, above: float = 0.3) -> Mask:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 0.8)
    return np.asarray(noise > above * noise.std())


def with_gaps() -> Segy:
    headers = grid_headers(INLINES, CROSSLINES)
    kept = [n for n in range(len(headers)) if n not in (0, 1, 6, 29)]
    samples = volume().reshape(-1, 40)[kept]
    return small(samples=samples, headers=[headers[n] for n in kept])


def line() -> Segy:
    headers = [{21: 2 * number, 71: -10, 181: 1000 * number, 185: 7} for number in range(1, 31)]
    return Segy(samples=volume().reshape(-1, 40), headers=headers)
