"""What there is to say of each salt body, in the survey's own numbers and units."""

import numpy as np
import pandas as pd

from saltseg.seismic.bodies import Bodies
from saltseg.seismic.coordinates import fit_frame
from saltseg.seismic.options import Domain, LengthUnit
from saltseg.seismic.segy import SegySurvey
from saltseg.seismic.store import StoredSurvey
from saltseg.seismic.survey import Survey
from saltseg.seismic.windows import describe_windows, survey_windows

FOOT = 0.3048
_LENGTHS = (0, 1)
"""Values of byte 89 of a trace header that stand for lengths; the others are angles."""
_REGULAR = 0.5
"""Cells by which traces may lie off a regular grid for volumes in cubic metres to be given."""


def cell_volume(survey: Survey) -> float | None:
    """Return the cubic metres that a sample stands for; None where they cannot be known.

    They are known for a 3D survey in depth whose coordinates are lengths on a regular grid. The map
    is taken to be in the unit of depth, as byte 3255 of a SEG-Y file has one for both.
    """
    grid, sampling = survey.grid, survey.sampling
    if sampling.domain is not Domain.DEPTH or survey.x is None or survey.y is None:
        return None
    at = survey.coordinates if isinstance(survey, SegySurvey) else None
    if at is not None and at.units not in _LENGTHS:
        return None
    frame = fit_frame(grid, survey.x, survey.y)
    steps = [np.unique(np.diff(numbers)) for numbers in (grid.inlines, grid.crosslines)]
    if frame is None or any(len(step) != 1 for step in steps):
        return None
    (ix, iy), (cx, cy) = frame.inline_step, frame.crossline_step
    area = abs(ix * cy - iy * cx) * int(steps[0][0]) * int(steps[1][0])
    if area == 0 or frame.residual > _REGULAR * np.sqrt(area):
        return None
    metres = FOOT if sampling.unit == LengthUnit.FEET.value else 1.0
    return float(area * sampling.interval * metres**3)


def least_body(survey: Survey) -> int:
    """Return the samples below which a body is no more than the survey can resolve.

    Half a dominant wavelength along samples, and half one along traces (of a 3D survey both ways):
    the width of a single wavelet. Wavelengths are medians over windows, see windows.py. So the
    limit scales with the sampling. 1 where no window is data for the most part.
    """
    windows = describe_windows(survey_windows(survey))
    if windows is None:
        return 1
    length, width = windows.wavelength[1] / 2, windows.width[1] / 2
    size = length * width ** (1 if survey.grid.line else 2)
    return max(round(size), 1) if np.isfinite(size) else 1


def body_table(bodies: Bodies, store: StoredSurvey, cell: float | None) -> pd.DataFrame:
    """Return a line for each body, the largest first.

    Columns: body, samples, volume_m3 (empty where `cell` is None), first and last inline and
    crossline, top and base (time or depth of the shallowest and deepest sample), inline, crossline,
    x and y of the apex, whose time or depth is top; mean_probability; edge_share: of the body's
    outer surface (faces of samples), the share at which the data end, 0 where it was seen whole.
    """
    found, grid = bodies.table, store.grid
    rows, columns, _ = store.shape
    place = found["apex"].to_numpy(np.int64) % (rows * columns)
    crosslines = np.stack([grid.crosslines[found[end]] for end in ("c0", "c1")])
    unknown = np.full(len(found), np.nan)
    return pd.DataFrame(
        {
            "body": np.arange(1, len(found) + 1),
            "samples": found["samples"],
            "volume_m3": unknown if cell is None else found["samples"] * cell,
            "inline_first": grid.inlines[found["i0"]],
            "inline_last": grid.inlines[found["i1"]],
            "crossline_first": crosslines[0],
            "crossline_last": crosslines[1],
            "top": store.sampling.first + store.sampling.interval * found["s0"],
            "base": store.sampling.first + store.sampling.interval * found["s1"],
            "apex_inline": grid.inlines[place // columns],
            "apex_crossline": grid.crosslines[place % columns],
            "apex_x": unknown if store.x is None else store.x[place],
            "apex_y": unknown if store.y is None else store.y[place],
            "mean_probability": found["total"] / found["samples"],
            "edge_share": found["cut"] / np.maximum(found["outer"], 1),
        }
    )
