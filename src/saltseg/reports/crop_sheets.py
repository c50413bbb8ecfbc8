"""Sheets of small pictures: many crops in one file, for a page that shows parts of it."""

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from saltseg.reports.palette import PROBABILITY_MAP, Colour

ACROSS = 8
"""Crops in a row of a sheet, and rows of a sheet: few enough to be read in no time."""

LEVELS = 64
"""Steps in which a probability is drawn: finer ones are not seen, and take more room."""

Pixels = npt.NDArray[np.uint8]


def write_image_sheets(folder: Path, images: Iterable[Pixels]) -> None:
    """Write grey images, uint8 (h, w) each, without loss: folder/images_0.png and so on."""
    _write(folder, "images", images, lambda picture: picture)


def write_probability_sheets(
    folder: Path, probabilities: Iterable[npt.NDArray[np.float16]]
) -> None:
    """Write probabilities, float16 (h, w) each, coloured: folder/probabilities_0.png and so on."""
    palette = bytes(value for colour in probability_colours() for value in colour)

    def coloured(picture: Image.Image) -> Image.Image:
        picture.putpalette(palette)
        return picture

    steps = (np.minimum(each.astype(np.float32) * LEVELS, LEVELS - 1) for each in probabilities)
    _write(folder, "probabilities", (each.astype(np.uint8) for each in steps), coloured)


def probability_colours() -> list[Colour]:
    """Return the colours of the LEVELS steps of probability, from 0 to 1."""
    from matplotlib import colormaps  # only here: takes a second

    steps = colormaps[PROBABILITY_MAP](np.linspace(0, 1, LEVELS), bytes=True)
    return [(int(red), int(green), int(blue)) for red, green, blue, _ in steps]


def _write(
    folder: Path,
    name: str,
    crops: Iterable[Pixels],
    finish: Callable[[Image.Image], Image.Image],
) -> None:
    """Write sheets of ACROSS times ACROSS crops, row by row; the last may have fewer rows."""
    folder.mkdir(parents=True, exist_ok=True)
    left = iter(crops)
    groups = iter(lambda: list(islice(left, ACROSS**2)), [])
    for number, group in enumerate(groups):
        picture = finish(Image.fromarray(_sheet(group)))
        picture.save(folder / f"{name}_{number}.png", optimize=True)


def _sheet(crops: list[Pixels]) -> Pixels:
    height, width = crops[0].shape
    rows = -(-len(crops) // ACROSS)
    sheet = np.zeros((rows * height, ACROSS * width), np.uint8)
    for at, crop in enumerate(crops):
        down, across = divmod(at, ACROSS)
        sheet[down * height : (down + 1) * height, across * width : (across + 1) * width] = crop
    return sheet
