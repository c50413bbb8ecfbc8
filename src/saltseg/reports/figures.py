"""Figures: contact sheets of chosen crops with sharp outlines, and charts, as stable PNG bytes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from saltseg.plumbing.files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

Outline = tuple[npt.NDArray[np.bool_], Colour]
"""Masks of shape (crops, height, width), and the colour of their outlines."""

TRUTH: Colour = (255, 170, 0)
"""Colour of the outline of a true mask."""
PREDICTION: Colour = (0, 200, 255)
"""Colour of the outline of a predicted mask."""

_ENLARGED = 2
_GAP = 6
_TITLE_HEIGHT = 16
_FONT_SIZE = 11
_PAPER = 255
_LINE_WIDTH = 1.6


def spread_evenly(length: int, count: int) -> npt.NDArray[np.intp]:
    """Return up to `count` of `length` places at equal distances, first and last among them."""
    chosen = min(count, length)
    return np.arange(chosen) * (length - 1) // max(chosen - 1, 1)


def spread_over_coverage(masks: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.intp]:
    """Return the indices of up to `count` masks, from the least to the most salt.

    They stand at equal distances in the order by coverage among the masks with salt, after one
    eighth of them that have none.
    """
    salt = np.count_nonzero(masks, axis=(1, 2))
    order = np.argsort(salt, kind="stable")
    empty, salty = np.split(order, [np.count_nonzero(salt == 0)])
    empties = empty[spread_evenly(len(empty), count // 8)]
    salty = salty[spread_evenly(len(salty), count - len(empties))]
    return np.concatenate([empties, salty])


def contact_sheet(
    path: Path,
    images: npt.NDArray[np.uint8],
    outlines: Sequence[Outline] = (),
    titles: Sequence[str] = (),
    columns: int = 8,
) -> None:
    """Write a PNG of crops, enlarged twofold, row by row, with outlines and a title above each.

    images: grey, shape (crops, height, width). titles: one a crop, or none at all. Outlines come
    one over the other, the last on top; where salt reaches a crop's border the outline follows it.
    """
    tiles = _enlarged(images)
    for masks, colour in outlines:
        _draw_outlines(tiles, masks, colour)
    sheet = _arranged(tiles, _TITLE_HEIGHT if titles else 0, columns)
    picture = Image.fromarray(sheet)
    _write_titles(picture, titles, tiles.shape[1:3], columns)
    with whole_file(path) as temporary:
        picture.save(temporary, optimize=False)


def overlay(path: Path, image: npt.NDArray[np.uint8], outlines: Sequence[Outline]) -> None:
    """Write a PNG of one grey image (h, w), enlarged twofold, with outlines of masks (1, h, w)."""
    tiles = _enlarged(image[None])
    for masks, colour in outlines:
        _draw_outlines(tiles, masks, colour)
    with whole_file(path) as temporary:
        Image.fromarray(tiles[0]).save(temporary, optimize=False)


@contextmanager
def chart(path: Path, x_label: str, y_label: str, title: str) -> Iterator["Axes"]:
    """Yield empty, labelled axes to draw on, and write them as a PNG afterwards."""
    from matplotlib.figure import Figure  # half a second that only drawing should pay

    figure = Figure(figsize=(6.4, 4.0), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    axes.spines[["top", "right"]].set_visible(False)
    yield axes
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(frameon=False)
    with whole_file(path) as temporary:
        figure.savefig(temporary, metadata={"Software": None})


def line_chart(
    path: Path,
    x: Sequence[float] | npt.NDArray[Any],
    lines: Mapping[str, Sequence[float] | npt.NDArray[Any]],
    x_label: str,
    y_label: str,
    title: str,
) -> None:
    """Write a PNG with one line over `x` for each entry of `lines`, and a legend for several."""
    with chart(path, x_label, y_label, title) as axes:
        axes.grid(alpha=0.3)
        for label, y in lines.items():
            axes.plot(x, y, label=label)


def bar_chart(
    path: Path,
    names: Sequence[str | int],
    bars: Mapping[str, Sequence[float] | npt.NDArray[Any]],
    x_label: str,
    y_label: str,
    title: str,
) -> None:
    """Write a PNG with a group of bars above each name, one bar for each entry of `bars`."""
    width = 0.8 / len(bars)
    positions = np.arange(len(names))
    with chart(path, x_label, y_label, title) as axes:
        for place, (label, heights) in enumerate(bars.items()):
            shift = (place - (len(bars) - 1) / 2) * width
            axes.bar(positions + shift, heights, width, label=label)
        axes.set_xticks(positions, [str(name) for name in names])


def _enlarged(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the crops enlarged, as RGB: (crops, height, width, 3)."""
    count, height, width = images.shape
    tiles = np.empty((count, height * _ENLARGED, width * _ENLARGED, 3), dtype=np.uint8)
    for tile, image in zip(tiles, images, strict=True):
        tile[:] = _resized(image, Image.Resampling.BICUBIC)[..., None]
    return tiles


def _resized(image: npt.NDArray[Any], resampling: Image.Resampling) -> npt.NDArray[Any]:
    """Enlarge one picture, uint8 or float32, of shape (height, width)."""
    height, width = image.shape
    size = (width * _ENLARGED, height * _ENLARGED)
    return np.asarray(Image.fromarray(image).resize(size, resampling))


def _draw_outlines(
    tiles: npt.NDArray[np.uint8], masks: npt.NDArray[np.bool_], colour: Colour
) -> None:
    """Blend into each tile the line where its interpolated mask crosses one half."""
    for tile, mask in zip(tiles, masks, strict=True):
        cover = _outline_cover(mask)[..., None]
        tile[:] = np.rint(tile * (1 - cover) + np.array(colour, dtype=np.float32) * cover)


def _outline_cover(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return how much of each enlarged pixel the outline covers, 0 to 1.

    The distance to the half level is |level - 1/2| / |gradient|, as for an implicit curve.
    """
    # A border of no salt closes the outline along the crop's edge.
    level = _resized(np.pad(mask.astype(np.float32), 1), Image.Resampling.BILINEAR)
    rows, columns = np.gradient(level)
    distance = np.abs(level - 0.5) / np.maximum(np.hypot(rows, columns), 1e-3)
    cover = np.clip(_LINE_WIDTH / 2 + 0.5 - distance, 0, 1)
    inner: npt.NDArray[np.float32] = cover[_ENLARGED:-_ENLARGED, _ENLARGED:-_ENLARGED]
    return inner


def _arranged(
    tiles: npt.NDArray[np.uint8], title_height: int, columns: int
) -> npt.NDArray[np.uint8]:
    """Set the tiles on paper, `columns` a row, with room for a title above each."""
    count, height, width, _ = tiles.shape
    rows = math.ceil(count / columns)
    cell = (height + title_height + _GAP, width + _GAP)
    cells = np.full((rows * columns, *cell, 3), _PAPER, dtype=np.uint8)
    cells[:count, title_height : title_height + height, :width] = tiles
    grid = cells.reshape(rows, columns, *cell, 3).swapaxes(1, 2)
    sheet = grid.reshape(rows * cell[0], columns * cell[1], 3)
    return np.pad(sheet, ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=_PAPER)


def _write_titles(
    picture: Image.Image, titles: Sequence[str], tile: tuple[int, ...], columns: int
) -> None:
    """Write each title above its tile; `tile` is a tile's height and width."""
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(_FONT_SIZE)
    for index, title in enumerate(titles):
        row, column = divmod(index, columns)
        left = _GAP + column * (tile[1] + _GAP)
        top = _GAP + row * (tile[0] + _TITLE_HEIGHT + _GAP)
        draw.text((left, top), title, fill=(40, 40, 40), font=font)
