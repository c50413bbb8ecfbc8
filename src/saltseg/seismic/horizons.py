"""Top and base of salt: where each trace enters salt and leaves it again.

A trace through an overhang has several intervals, numbered from 1 downwards. top and base are the
time or depth of an interval's first and last sample of salt. Where the data end inside of salt, its
true top or base was not seen; the table says so, and the horizons leave such points out.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from saltseg.plumbing.files import whole_file
from saltseg.seismic.bricks import Brick, whole_traces
from saltseg.seismic.store import StoredSurvey

HORIZONS = "horizons.csv"
TOP, BASE = "top.xyz", "base.xyz"
_NUMBER = "%.10g"
_LINES = 1 << 16


def write_horizons(folder: Path, store: StoredSurvey, labels: StoredSurvey) -> int:
    """Write horizons.csv and, where coordinates are known, top.xyz and base.xyz.

    horizons.csv: a line for each interval, with inline, crossline, x, y, body, interval, top, base,
    top_seen, base_seen. The others: inline, crossline, x, y, z, body, interval, apart by blanks, of
    traces that have coordinates.
    labels: a store of the array "body". Returns the number of intervals. Memory holds the intervals
    of some lines.
    """
    count = 0
    with whole_file(folder / HORIZONS) as temporary, _text_file(temporary) as file:
        for number, table in enumerate(_strips(store, labels)):
            count += len(table)
            head = number == 0
            table.to_csv(file, index=False, header=head, float_format=_NUMBER, lineterminator="\n")
    if store.x is not None:
        for name, side in ((TOP, "top"), (BASE, "base")):
            _write_points(folder / name, folder / HORIZONS, side)
    return count


def _text_file(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _write_points(path: Path, horizons: Path, side: str) -> None:
    """Write the points of one side that were seen, without a head: what all software loads.

    A point without x and y would shift the columns of its line: it is left out.
    """
    columns = ["inline", "crossline", "x", "y", side, "body", "interval"]
    how = {"sep": " ", "float_format": _NUMBER, "lineterminator": "\n"}
    with whole_file(path) as temporary, _text_file(temporary) as file:
        for part in pd.read_csv(horizons, chunksize=_LINES):
            seen = part.loc[part[f"{side}_seen"].astype(bool), columns].dropna()
            seen.to_csv(file, index=False, header=False, **how)  # type: ignore[call-overload]


def _strips(store: StoredSurvey, labels: StoredSurvey) -> Iterator[pd.DataFrame]:
    """Yield the intervals of some lines at a time, sorted by inline, crossline and interval."""
    rows, columns, samples = store.shape
    side, wide, _ = whole_traces(store.shape)
    for first in range(0, rows, side):
        high = min(side, rows - first)
        parts = [
            intervals(store, labels, Brick((first, start, 0), (first + high, end, samples)))
            for start, end in pairwise([*range(0, columns, wide), columns])
        ]
        table = pd.concat(parts, ignore_index=True)
        yield _named(store, table.sort_values(["i", "c", "interval"], kind="stable"))


def intervals(store: StoredSurvey, labels: StoredSurvey, brick: Brick) -> pd.DataFrame:
    """Return the intervals of salt in a brick of whole traces.

    Columns: i, c (places, from 0), body, interval, s0, s1 (first and last sample), top_seen,
    base_seen.
    """
    wide = brick.last[1] - brick.first[1]
    bodies = labels.block("body", *brick.slices).reshape(-1, store.shape[2])
    live = store.block("live", *brick.slices).reshape(bodies.shape)
    salt = np.pad(bodies > 0, ((0, 0), (1, 1)))
    trace, first = np.nonzero(salt[:, 1:-1] & ~salt[:, :-2])
    _, last = np.nonzero(salt[:, 1:-1] & ~salt[:, 2:])
    around = np.pad(live, ((0, 0), (1, 1)))
    numbers = pd.Series(trace).groupby(trace).cumcount() + 1
    return pd.DataFrame(
        {
            "i": trace // wide + brick.first[0],
            "c": trace % wide + brick.first[1],
            "body": bodies[trace, first],
            "interval": numbers.to_numpy(),
            "s0": first,
            "s1": last,
            "top_seen": around[trace, first],
            "base_seen": around[trace, last + 2],
        }
    )


def _named(store: StoredSurvey, table: pd.DataFrame) -> pd.DataFrame:
    """Give intervals the survey's numbers, coordinates, times or depths."""
    grid, sampling = store.grid, store.sampling
    row, column = table["i"].to_numpy(), table["c"].to_numpy()
    place = row * store.shape[1] + column
    unknown = np.full(len(table), np.nan)
    return pd.DataFrame(
        {
            "inline": grid.inlines[row],
            "crossline": grid.crosslines[column],
            "x": unknown if store.x is None else store.x[place],
            "y": unknown if store.y is None else store.y[place],
            "body": table["body"].to_numpy(),
            "interval": table["interval"].to_numpy(),
            "top": sampling.first + sampling.interval * table["s0"].to_numpy(),
            "base": sampling.first + sampling.interval * table["s1"].to_numpy(),
            "top_seen": table["top_seen"].to_numpy(),
            "base_seen": table["base_seen"].to_numpy(),
        }
    )
