"""Grey seismic images under translucent masks: what crops and whole sections are drawn with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from saltseg.reports.palette import FALSE, HIT, INK, MISSED, PROBABILITY_MAP, Paint, shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

Mask = npt.NDArray[np.bool_]
Layer = tuple[Mask, Paint]
"""A mask, bool (h, w), and how it is painted."""
Extent = tuple[float, float, float, float]
"""Coordinates of an image's left, right, bottom and top edges."""

_OUTLINE_WIDTH = 1.2
_FONT_SIZE = 9


def compared(truth: Mask, predicted: Mask) -> list[Layer]:
    """Return hit, missed and false salt of a prediction whose truth is known, all bool (h, w)."""
    return [(truth & predicted, HIT), (truth & ~predicted, MISSED), (predicted & ~truth, FALSE)]


def draw_image(
    axes: "Axes",
    image: npt.NDArray[Any],
    layers: Sequence[Layer] = (),
    extent: Extent | None = None,
    limits: tuple[float, float] = (0, 255),
) -> None:
    """Draw a grey image, real (h, w), and layers over it, each filled and outlined.

    limits: the values that are black and white. extent: in pixels, (0, w, h, 0), without it.
    """
    height, width = image.shape
    place = extent or (0, width, height, 0)
    axes.imshow(
        image, cmap="gray", vmin=limits[0], vmax=limits[1], extent=place, interpolation="bicubic"
    )
    for mask, paint in layers:
        if mask.any():
            _paint(axes, mask, paint, place)
    axes.set_xlim(*place[:2])
    axes.set_ylim(*place[2:])


def draw_values(
    axes: "Axes",
    values: npt.NDArray[Any],
    extent: Extent | None = None,
    colours: str = PROBABILITY_MAP,
    most: float = 1.0,
) -> "AxesImage":
    """Draw values from 0 to `most`, real (h, w); what is NaN stays white. Returns it for a bar."""
    height, width = values.shape
    return axes.imshow(
        values,
        cmap=colours,
        vmin=0,
        vmax=most,
        extent=extent or (0, width, height, 0),
        interpolation="nearest",
    )


def draw_legend(
    figure: "Figure", paints: Sequence[Paint], edge: float, top: float, side: str = "left"
) -> None:
    """Draw the legend of `paints` in one line.

    edge, top: shares of the figure; edge is where the legend's left or right `side` lies.
    """
    from matplotlib.patches import Patch

    swatches = [
        Patch(
            facecolor=(*shade(paint.colour), paint.opacity),
            edgecolor=shade(paint.colour),
            label=paint.label,
        )
        for paint in paints
    ]
    figure.legend(
        handles=swatches,
        loc="upper left" if side == "left" else "upper right",
        bbox_to_anchor=(edge, top),
        ncols=len(swatches),
        frameon=False,
        fontsize=_FONT_SIZE,
        labelcolor=shade(INK),
        borderpad=0,
        borderaxespad=0,
    )


def _paint(axes: "Axes", mask: Mask, paint: Paint, extent: Extent) -> None:
    fill = np.zeros((*mask.shape, 4))
    fill[mask] = (*shade(paint.colour), paint.opacity)
    axes.imshow(fill, extent=extent, interpolation="nearest")
    if not mask.all():
        left, right, bottom, top = extent
        height, width = mask.shape
        columns = left + (right - left) * (np.arange(width) + 0.5) / width
        rows = top + (bottom - top) * (np.arange(height) + 0.5) / height
        axes.contour(
            columns,
            rows,
            mask.astype(np.float32),
            levels=[0.5],
            colors=[shade(paint.colour)],
            linewidths=_OUTLINE_WIDTH,
        )
