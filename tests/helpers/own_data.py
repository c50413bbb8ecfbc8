"""Folders of one's own data, as small as they may be: a block of salt in noise."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.seismic.segy_writer import Segy

INLINES, CROSSLINES, SAMPLES = 12, 110, 160
FIRST_INLINE, FIRST_CROSSLINE = 100, 300
"""Shape of the volume, and the numbers of its first lines; samples lie 4 ms apart."""


def make_volume(seed: int = 7) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return amplitude and salt, both (INLINES, CROSSLINES, SAMPLES); the salt widens downwards."""
    generator = np.random.default_rng(seed)
    amplitude = generator.normal(size=(INLINES, CROSSLINES, SAMPLES)).astype(np.float32)
    inline, crossline, sample = np.ogrid[:INLINES, :CROSSLINES, :SAMPLES]
    salt = (sample > 60 + inline) & (abs(crossline - 50) < 5 + sample // 4)
    return amplitude, salt


def make_images(
    count: int, shape: tuple[int, int], seed: int = 7
) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]]:
    """Return images of noise, each with a mask that has more salt than the one before."""
    generator = np.random.default_rng(seed)
    pairs = []
    for number in range(count):
        mask = np.arange(shape[0])[:, None] >= shape[0] - number * shape[0] // (2 * count)
        image = generator.integers(0, 256, shape, np.uint8)
        pairs.append((image, np.broadcast_to(mask, shape).copy()))
    return pairs


def write_volume(
    path: Path, samples: npt.NDArray[np.generic], inlines: Sequence[int] = range(INLINES)
) -> Path:
    """Write the inlines, counted from 0, of a volume as SEG-Y in formats of four-byte floats."""
    headers = [
        {
            189: FIRST_INLINE + inline,
            193: FIRST_CROSSLINE + crossline,
            181: 10 * crossline,
            185: 10 * inline,
        }
        for inline in inlines
        for crossline in range(samples.shape[1])
    ]
    traces = samples[list(inlines)].reshape(-1, samples.shape[2]).astype(np.float64)
    return Segy(traces, headers).write(path)


def write_image_folder(
    folder: Path,
    pairs: Sequence[tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]],
    unlabelled: int = 0,
) -> None:
    """Write images/lineN.png and masks/lineN.png, and other images without masks."""
    for name in ("images", "masks", "unlabelled"):
        (folder / name).mkdir(parents=True)
    for number, (image, mask) in enumerate(pairs):
        Image.fromarray(image).save(folder / "images" / f"line{number}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"line{number}.png")
    for number in range(unlabelled):
        image = pairs[number][0][::-1].copy()
        Image.fromarray(image).save(folder / "unlabelled" / f"other{number}.png")
