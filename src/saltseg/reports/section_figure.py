"""A whole section, or any grey image, with what is known of its salt."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from saltseg.reports.figures import empty_figure, write_figure
from saltseg.reports.palette import DISAGREEMENT_MAP, PREDICTION, PROBABILITY_MAP
from saltseg.reports.panels import (
    Extent,
    Layer,
    Mask,
    compared,
    draw_image,
    draw_legend,
    draw_values,
)
from saltseg.reports.section_axes import SectionAxes, label_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAST, _MOST = 500, 20_000
"""Pixels of a picture's longer side: small images are enlarged, huge ones drawn smaller."""
_NARROWEST, _NARROWEST_BESIDE, _EDGE = 680, 800, 20
"""Pixels that the legend takes, alone and beside a title; and those that it keeps to the right."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 90, 60, 50
"""Pixels around each picture: for axes, the colour bar, legend and title."""
_SECOND_AXIS, _TITLE = 40, 30
"""Pixels for the axis of distances above a picture, and for the title above all."""


@dataclass(frozen=True)
class SectionPicture:
    """What is drawn, all of one shape (h, w).

    image: grey; `limits` are its black and white. predicted: bool. probabilities: 0 to 1;
    disagreement: of the predictions that they are the mean of, a standard deviation; each None for
    no picture of it. bare: draw the image without masks too. truth: bool, or None where it is not
    known. axes: None for columns and rows. title: over all.
    """

    image: npt.NDArray[Any]
    predicted: Mask
    probabilities: npt.NDArray[Any] | None = None
    truth: Mask | None = None
    limits: tuple[float, float] = (0, 255)
    disagreement: npt.NDArray[Any] | None = None
    bare: bool = False
    axes: SectionAxes | None = None
    title: str = ""

    @property
    def layers(self) -> list[Layer]:
        """The prediction, or hit, missed and false where the truth is known."""
        if self.truth is None:
            return [(self.predicted, PREDICTION)]
        return compared(self.truth, self.predicted)

    @property
    def extent(self) -> Extent | None:
        """The image's edges; None for columns and rows."""
        return self.axes.extent(self.image.shape) if self.axes else None


Drawing = Callable[["Figure", "Axes"], None]


def draw_section(path: Path, section: SectionPicture) -> None:
    """Write a PNG of the image under its masks, and of all else that is known of the section.

    Two pictures stand side by side where the image is tall, below each other where it is wide;
    more than two stand in pairs. A pixel of the image is at least one of the picture, but in images
    beyond 20,000 pixels.
    """
    size = _size(section.image.shape)
    top = _TOP + (_SECOND_AXIS if section.axes and section.axes.distances is not None else 0)
    cell = (top + size[0] + _BOTTOM, _LEFT + size[1] + _RIGHT)
    drawings = _drawings(section)
    across, down = _arrangement(len(drawings), size)
    title = _TITLE if section.title else 0
    narrowest = _NARROWEST_BESIDE if section.bare else _NARROWEST
    whole = (title + down * cell[0], max(across * cell[1], narrowest))
    figure = empty_figure(whole[1], whole[0])
    for number, draw in enumerate(drawings):
        row, column = divmod(number, across)
        corner = (title + row * cell[0] + top, column * cell[1] + _LEFT)
        axes = _axes(figure, corner, size, whole)
        draw(figure, axes)
        _label(axes, section)
    if section.title:
        place = {"x": _LEFT / whole[1], "y": 1 - 10 / whole[0]}
        figure.suptitle(section.title, **place, size=12, ha="left", va="top")
    write_figure(path, figure)


def _drawings(section: SectionPicture) -> list[Drawing]:
    """Return what draws each picture."""
    drawings: list[Drawing] = [partial(_draw_bare, section)] if section.bare else []
    drawings.append(partial(_draw_masks, section))
    if section.probabilities is not None:
        drawings.append(partial(_draw_values, section, section.probabilities, _PROBABILITY))
    if section.disagreement is not None:
        drawings.append(partial(_draw_values, section, section.disagreement, _DISAGREEMENT))
    return drawings


def _arrangement(pictures: int, size: tuple[int, int]) -> tuple[int, int]:
    """Return how many pictures stand across and how many down."""
    if pictures > 2:
        return 2, -(-pictures // 2)
    return (pictures, 1) if 3 * size[0] > 2 * size[1] else (1, pictures)


def _draw_bare(section: SectionPicture, figure: "Figure", axes: "Axes") -> None:
    draw_image(axes, section.image, (), section.extent, section.limits)
    axes.set_title("amplitude", size=10, loc="left")


def _draw_masks(section: SectionPicture, figure: "Figure", axes: "Axes") -> None:
    draw_image(axes, section.image, section.layers, section.extent, section.limits)
    box = axes.get_position()
    width, height = figure.get_size_inches() * figure.dpi
    above = _TOP / 2 + (_SECOND_AXIS if section.axes and section.axes.distances is not None else 0)
    paints = [paint for _, paint in section.layers]
    first = box.x0 * width < _LEFT + 1
    # Beside another picture, the legend goes from the right edge to as far as it needs.
    place = box.x0 if first else 1 - _EDGE / width
    draw_legend(figure, paints, place, box.y1 + above / height, "left" if first else "right")


def _draw_values(
    section: SectionPicture,
    values: npt.NDArray[Any],
    scale: tuple[str, str, float],
    figure: "Figure",
    axes: "Axes",
) -> None:
    title, colours, most = scale
    shown = draw_values(axes, values, section.extent, colours, most)
    axes.set_title(title, size=10, loc="left")
    box = axes.get_position()
    width = figure.get_size_inches()[0] * figure.dpi
    bar = figure.add_axes((box.x1 + 15 / width, box.y0, 15 / width, box.height))
    figure.colorbar(shown, cax=bar)


_PROBABILITY = ("probability of salt", PROBABILITY_MAP, 1.0)
_DISAGREEMENT = ("uncertainty: disagreement of the predictions", DISAGREEMENT_MAP, 0.5)
"""Title, colours and largest value; probabilities cannot deviate by more than .5."""


def _label(axes: "Axes", section: SectionPicture) -> None:
    if section.axes is None:
        axes.set(xlabel="column", ylabel="row", aspect="auto")
    else:
        label_axes(axes, section.axes)


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the height and width in pixels at which an image is drawn."""
    longer = max(shape)
    scale = max(1, -(-_LEAST // longer)) * min(1.0, _MOST / longer)
    return max(int(shape[0] * scale), 1), max(int(shape[1] * scale), 1)


def _axes(
    figure: "Figure", corner: tuple[int, int], size: tuple[int, int], whole: tuple[int, int]
) -> "Axes":
    """Return axes of `size`, height and width, whose upper left is `corner`.

    All in pixels; `whole` is the figure's size.
    """
    lower = whole[0] - corner[0] - size[0]
    box = (corner[1] / whole[1], lower / whole[0], size[1] / whole[1], size[0] / whole[0])
    return figure.add_axes(box)
