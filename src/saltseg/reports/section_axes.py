"""The axes of a section: traces by number and by distance, time or depth."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from saltseg.reports.panels import Extent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_TICKS = 6


@dataclass(frozen=True)
class SectionAxes:
    """What the axes of a section say.

    numbers: of the columns, int (w,). distances: of the columns from the first, rising, float (w,),
    drawn above; None where unknown. first, interval: of the rows, in time or depth. labels: of
    columns, rows and distances. rows: numbers of the rows, int (h,), where these are lines: the
    rows lie at their places then, and first and interval mean nothing.
    """

    numbers: npt.NDArray[Any]
    first: float
    interval: float
    labels: tuple[str, str, str]
    distances: npt.NDArray[Any] | None = None
    rows: npt.NDArray[Any] | None = None

    def extent(self, shape: tuple[int, ...]) -> Extent:
        """Return the edges of an image of `shape`: lines by place, rows else by time or depth."""
        if self.rows is not None:
            return -0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5
        top = self.first - self.interval / 2
        return -0.5, shape[1] - 0.5, top + self.interval * shape[0], top


def label_axes(axes: "Axes", named: SectionAxes) -> None:
    """Label a picture's axes; distances, where they are known, above it."""
    axes.set(xlabel=named.labels[0], ylabel=named.labels[1], aspect="auto")
    _number_places(axes.xaxis, named.numbers)
    if named.rows is not None:
        _number_places(axes.yaxis, named.rows)
    if named.distances is not None:
        _label_distances(axes, named.distances, named.labels[2])


def _number_places(axis: "Axis", numbers: npt.NDArray[Any]) -> None:
    from matplotlib.ticker import MaxNLocator

    def number(place: float, _: object) -> str:
        return str(numbers[round(place)]) if 0 <= round(place) < len(numbers) else ""

    axis.set_major_locator(MaxNLocator(_TICKS, integer=True))
    axis.set_major_formatter(number)


def _label_distances(axes: "Axes", distances: npt.NDArray[Any], label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    above = axes.twiny()
    above.set(xlim=axes.get_xlim(), aspect="auto", xlabel=label)
    ticks = MaxNLocator(_TICKS).tick_values(distances[0], distances[-1])
    ticks = ticks[(ticks >= distances[0]) & (ticks <= distances[-1])]
    places = np.interp(ticks, distances, np.arange(len(distances)))
    above.set_xticks(places, [f"{tick:g}" for tick in ticks])
