"""A page on a survey's salt that needs no other file and no network.

It shows the salt's surface in three dimensions, sections to leaf through, and the bodies.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.plumbing.files import write_text
from saltseg.plumbing.progress import progress
from saltseg.reports.page import Facts, fill_template
from saltseg.reports.survey_sections import (
    PredictedSection,
    SectionName,
    SectionSource,
    amplitude_clip,
)
from saltseg.seismic.salt_surface import Surface
from saltseg.seismic.store import StoredSurvey

TEMPLATE = Path(__file__).with_suffix(".html")
SECTIONS = 16
"""Sections along each axis."""
_SIDE = 320
"""Columns and rows of a section at the most."""
_BODIES = 50
_WIDEST = 2.5
_AMPLITUDES, _NO_AMPLITUDE = 127, -128
_PROBABILITIES, _NO_PROBABILITY = 250, 255


@dataclass(frozen=True)
class SurveyPage:
    """What a page shows: its title, a line on the whole, the surface, the bodies."""

    title: str
    summary: str
    surface: Surface | None
    bodies: pd.DataFrame


def write_page(
    path: Path, page: SurveyPage, source: SectionSource, names: Sequence[SectionName]
) -> None:
    """Write a page with the sections `names`. Equal content gives equal bytes.

    Its size is bounded, whatever the survey's: plotly's 5 MB, 60,000 triangles, sections of at most
    320 x 320, fifty bodies.
    """
    store = source.store
    sections = [
        _section(source.read(name)) for name in progress(names, "sections of the page", len(names))
    ]
    data = {
        "summary": page.summary,
        "vertical": source.read(names[0]).axes.labels[1],
        "range": _range(store),
        "aspect": _aspect(store),
        "surface": None if page.surface is None else _surface(store, page.surface),
        "sections": sections,
        "bodies": _bodies(page.bodies),
    }
    write_text(path, fill_template(TEMPLATE, page.title, data))


def _packed(values: npt.NDArray[Any]) -> str:
    """Return little-endian numbers, deflated and in base64, as the page unpacks them."""
    content = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    return base64.b64encode(zlib.compress(content, 9)).decode()


def _section(section: PredictedSection) -> Facts:
    """Return a section, thinned by leaving columns and rows out."""
    steps = [-(-size // _SIDE) for size in section.amplitude.shape]
    thin = slice(None, None, steps[0]), slice(None, None, steps[1])
    amplitude, probability = section.amplitude[thin].T, section.probability[thin].T
    clip = amplitude_clip(section.amplitude)
    scaled = np.rint(np.clip(amplitude / clip, -1, 1) * _AMPLITUDES)
    chances = np.rint(np.clip(probability, 0, 1) * _PROBABILITIES)
    axes = section.axes
    rows = axes.first + axes.interval * np.arange(section.amplitude.shape[1])[thin[1]]
    return {
        "axis": section.name.axis,
        "number": section.name.number,
        "across": axes.labels[0],
        "shape": list(amplitude.shape),
        "x": _rising(axes.numbers[thin[0]]),
        "y": [float(f"{row:.10g}") for row in rows],
        "amplitude": _packed(np.where(np.isnan(scaled), _NO_AMPLITUDE, scaled).astype(np.int8)),
        "probability": _packed(
            np.where(np.isnan(chances), _NO_PROBABILITY, chances).astype(np.uint8)
        ),
        "salt": _packed(section.salt[thin].T.astype(np.uint8)),
    }


def _rising(numbers: npt.NDArray[np.int64]) -> list[int]:
    """Return the numbers of columns; those of a 2D line that repeat or fall give way to places."""
    rising = bool((np.diff(numbers) > 0).all())
    found: list[int] = (numbers if rising else np.arange(len(numbers))).tolist()
    return found


def _range(store: StoredSurvey) -> list[list[float]]:
    """Return first and last inline, crossline, and time or depth."""
    grid, sampling = store.grid, store.sampling
    numbers = [[float(each[0]), float(each[-1])] for each in (grid.inlines, grid.crosslines)]
    return [*numbers, [sampling.first, sampling.last()]]


def _aspect(store: StoredSurvey) -> Facts:
    """Return the sides of the box: the map's by traces, none more than 2.5 times another."""
    inlines, crosslines, _ = store.shape
    longest = max(inlines, crosslines)
    sides = [max(side / longest, 1 / _WIDEST) for side in (crosslines, inlines)]
    return {"x": sides[0], "y": sides[1], "z": 0.6}


def _surface(store: StoredSurvey, surface: Surface) -> Facts:
    """Return the surface in the survey's numbers: crossline, inline, time or depth."""
    rows, columns, samples = surface.vertices.T
    grid, sampling = store.grid, store.sampling
    places = [
        np.interp(columns, np.arange(len(grid.crosslines)), grid.crosslines),
        np.interp(rows, np.arange(len(grid.inlines)), grid.inlines),
        sampling.first + sampling.interval * samples,
    ]
    vertices = np.stack(places, axis=1).astype(np.float32)
    return {"vertices": _packed(vertices), "triangles": _packed(surface.triangles)}


def _bodies(bodies: pd.DataFrame) -> list[Facts]:
    """Return the largest bodies with the columns that are known, as they are shown."""
    known = bodies.head(_BODIES).dropna(axis=1, how="all")
    lines = known.to_dict("records")
    return [{str(name): _shown(value) for name, value in line.items()} for line in lines]


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
