"""Bar charts and histograms in the palette's colours."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from saltseg.reports.figures import empty_figure, write_figure
from saltseg.reports.palette import SERIES, shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = Sequence[float] | npt.NDArray[Any]

_SIZE = (768, 480)


@contextmanager
def chart(path: Path, x_label: str, y_label: str, title: str) -> Iterator["Axes"]:
    """Yield empty, labelled axes to draw on, and write them as a PNG."""
    figure = empty_figure(*_SIZE)
    figure.set_layout_engine("constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=[shade(colour) for colour in SERIES])
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    yield axes
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(framealpha=0.9, edgecolor="none")
    write_figure(path, figure)


def bar_chart(
    path: Path,
    names: Sequence[str | int],
    bars: Mapping[str, Numbers],
    x_label: str,
    title: str,
) -> None:
    """Write a PNG of numbers of crops: for each name a bar for each entry of `bars`."""
    width = 0.8 / len(bars)
    positions = np.arange(len(names))
    with chart(path, x_label, "crops", title) as axes:
        for place, (label, heights) in enumerate(bars.items()):
            shift = (place - (len(bars) - 1) / 2) * width
            axes.bar(positions + shift, heights, width, label=label)
        axes.set_xticks(positions, [str(name) for name in names])


def histogram(
    path: Path,
    edges: Numbers,
    shares: Mapping[str, Numbers],
    x_label: str,
    y_label: str,
    title: str,
) -> None:
    """Write a PNG of filled, outlined histograms over common bins.

    edges: one more than the values in each of `shares`.
    """
    with chart(path, x_label, y_label, title) as axes:
        for (label, heights), colour in zip(shares.items(), SERIES, strict=False):
            axes.stairs(heights, edges, fill=True, alpha=0.3, color=shade(colour))
            axes.stairs(heights, edges, color=shade(colour), linewidth=1.5, label=label)
