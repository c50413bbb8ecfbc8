"""A picture of a section, or any grey image, with its predicted and true salt."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from saltseg.reports.figures import empty_figure, write_figure
from saltseg.reports.palette import PREDICTION
from saltseg.reports.panels import (
    Extent,
    Layer,
    Mask,
    compared,
    draw_image,
    draw_legend,
    draw_probability,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEAST, _MOST = 500, 20_000
"""Pixels of a picture's longer side: small images are enlarged, huge ones reduced."""
_NARROWEST = 680
"""Height of the legend in pixels."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 90, 60, 50
"""Pixels around each picture, for axes, colour bar, legend and title."""


@dataclass(frozen=True)
class SectionPicture:
    """The content of the picture, all of shape (h, w).

    image: grey; `limits` are drawn black and white. predicted: bool. probabilities: 0 to 1, or None
    for no second picture. truth: bool, or None if it is not known. extent: see panels.Extent.
    """

    image: npt.NDArray[Any]
    predicted: Mask
    probabilities: npt.NDArray[Any] | None = None
    truth: Mask | None = None
    limits: tuple[float, float] = (0, 255)
    extent: Extent | None = None
    labels: tuple[str, str] = ("column", "row")

    @property
    def layers(self) -> list[Layer]:
        """The prediction, or hit, missed and false if the truth is known."""
        if self.truth is None:
            return [(self.predicted, PREDICTION)]
        return compared(self.truth, self.predicted)


def draw_section(path: Path, section: SectionPicture) -> None:
    """Write a PNG of the image with its masks, and of the probabilities with a colour bar.

    The second picture is beside a tall image, and below a wide one. Images are drawn at full
    resolution or more, up to 20,000 pixels.
    """
    height, width = _size(section.image.shape)
    cell = (_TOP + height + _BOTTOM, _LEFT + width + _RIGHT)
    across, down = _arrangement(section, height, width)
    whole = (down * cell[0], max(across * cell[1], _NARROWEST))
    figure = empty_figure(whole[1], whole[0])
    axes = _axes(figure, (0, 0), (height, width), whole)
    draw_image(axes, section.image, section.layers, section.extent, section.limits)
    _label(axes, section)
    paints = [paint for _, paint in section.layers]
    draw_legend(figure, paints, _LEFT / whole[1], 1 - _TOP / 2 / whole[0])
    if section.probabilities is not None:
        corner = (cell[0], 0) if down > 1 else (0, cell[1])
        _draw_probabilities(figure, _axes(figure, corner, (height, width), whole), section)
    write_figure(path, figure)


def _arrangement(section: SectionPicture, height: int, width: int) -> tuple[int, int]:
    """Return the number of pictures across and down."""
    if section.probabilities is None:
        return 1, 1
    return (2, 1) if 3 * height > 2 * width else (1, 2)


def _draw_probabilities(figure: "Figure", axes: "Axes", section: SectionPicture) -> None:
    assert section.probabilities is not None
    shown = draw_probability(axes, section.probabilities, section.extent)
    _label(axes, section)
    axes.set_title("probability of salt", size=10, loc="left")
    box = axes.get_position()
    width = figure.get_size_inches()[0] * figure.dpi
    bar = figure.add_axes((box.x1 + 15 / width, box.y0, 15 / width, box.height))
    figure.colorbar(shown, cax=bar)


def _label(axes: "Axes", section: SectionPicture) -> None:
    axes.set(xlabel=section.labels[0], ylabel=section.labels[1], aspect="auto")


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the height and width in pixels at which an image is drawn."""
    longer = max(shape)
    scale = max(1, -(-_LEAST // longer)) * min(1.0, _MOST / longer)
    return max(int(shape[0] * scale), 1), max(int(shape[1] * scale), 1)


def _axes(
    figure: "Figure", corner: tuple[int, int], size: tuple[int, int], whole: tuple[int, int]
) -> "Axes":
    """Return axes of `size` (height, width) in the cell with the upper left corner `corner`.

    All in pixels; whole: the figure's size.
    """
    lower = whole[0] - corner[0] - _TOP - size[0]
    box = (
        (corner[1] + _LEFT) / whole[1],
        lower / whole[0],
        size[1] / whole[1],
        size[0] / whole[0],
    )
    return figure.add_axes(box)
