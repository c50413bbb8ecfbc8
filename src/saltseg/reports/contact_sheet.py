"""Contact sheets: crops with their masks, in titled groups, with a legend."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from saltseg.reports.figures import empty_figure, write_figure
from saltseg.reports.palette import INK, Paint, shade
from saltseg.reports.panels import Layer, draw_image, draw_legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4
"""Tiles in a row: with four, details are visible on a sheet of WIDTH."""
WIDTH = 1200
"""Width of a sheet in pixels: `dvc plots show` and MLflow's page do not cut it off."""

_GAP = 12
_TITLE = 18
_HEADING = 34
_TITLE_SIZE, _HEADING_SIZE = 9, 12
_SIDE = (WIDTH - _GAP) // COLUMNS - _GAP


@dataclass(frozen=True)
class Tile:
    """One crop of a sheet.

    image: uint8 (h, w). layers: drawn over it. title: above it.
    """

    image: npt.NDArray[np.uint8]
    layers: Sequence[Layer] = ()
    title: str = ""


@dataclass(frozen=True)
class Group:
    """Tiles below a heading; each group starts a new row."""

    heading: str
    tiles: Sequence[Tile]

    @property
    def height(self) -> int:
        """Height of the group in pixels."""
        rows = -(-len(self.tiles) // COLUMNS)
        return _HEADING + rows * (_TITLE + _SIDE + _GAP)


def contact_sheet(path: Path, groups: Sequence[Group], legend: Sequence[Paint] = ()) -> None:
    """Write a PNG of groups of crops, COLUMNS a row, with a legend on top.

    A group without tiles shows only its heading.
    """
    top = _GAP + (_HEADING if legend else 0)
    height = top + sum(group.height for group in groups)
    figure = empty_figure(WIDTH, height)
    if legend:
        draw_legend(figure, legend, _GAP / WIDTH, 1 - _GAP / height)
    for group in groups:
        _draw_group(figure, group, top, height)
        top += group.height
    write_figure(path, figure)


def _draw_group(figure: "Figure", group: Group, top: int, height: int) -> None:
    """Draw a group below the row `top` of a figure of `height` pixels."""
    figure.text(
        _GAP / WIDTH,
        1 - (top + _HEADING / 2) / height,
        group.heading,
        size=_HEADING_SIZE,
        weight="bold",
        color=shade(INK),
        va="center",
    )
    for tile, (left, upper) in zip(group.tiles, _places(len(group.tiles)), strict=True):
        below = top + _HEADING + upper + _TITLE
        box = (left / WIDTH, 1 - (below + _SIDE) / height, _SIDE / WIDTH, _SIDE / height)
        axes = figure.add_axes(box)
        draw_image(axes, tile.image, tile.layers)
        axes.set_axis_off()
        axes.set_title(tile.title, size=_TITLE_SIZE, loc="left", pad=4, color=shade(INK))


def _places(count: int) -> Iterator[tuple[int, int]]:
    """Yield the left and the top edge of each tile's cell, in pixels."""
    for index in range(count):
        row, column = divmod(index, COLUMNS)
        yield _GAP + column * (_SIDE + _GAP), row * (_TITLE + _SIDE + _GAP)
