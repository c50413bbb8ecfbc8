"""Labels drawn as polygons on sections: GeoJSON, or CSV of line, trace and depth.

CSV: columns `line`, `trace`, `depth`; and, where they are needed, `polygon` (a name; without it a
line has one polygon), `axis` (inline or crossline; without it the axis that is cut) and `kind`
(salt, or interpreted: the part of the section that was looked at; without one, all of it). Points
follow each other around the polygon, and the last repeats the first. A row with `line` alone says
that a line was interpreted.

GeoJSON: a FeatureCollection of Polygon or MultiPolygon with coordinates [trace, depth] and the
properties `line`, `axis` and `kind`; geometry null says that a line was interpreted.

Traces are numbers across the axis (crosslines of an inline; trace or CDP numbers of a 2D line),
depths are times or depths as the survey has them.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.own.labels import Labels, sample_numbers
from saltseg.own.section import Label, Mask
from saltseg.own.tables import number_of, read_columns
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_regular
from saltseg.plumbing.zips import MOST
from saltseg.seismic.columns import Integers
from saltseg.seismic.sampling import Sampling

SALT, INTERPRETED = "salt", "interpreted"

Ring = npt.NDArray[np.float64]
"""Corners, float64 (corners, 2): trace and depth; the last repeats the first."""


@dataclass(frozen=True)
class Polygon:
    """Rings on a line: what lies inside an odd number of them is the polygon. kind: as in CSV."""

    line: int
    kind: str
    rings: tuple[Ring, ...]


class Polygons(Labels):
    """The polygons of a file along one axis."""

    def __init__(self, path: Path, axis: str) -> None:
        """Read a .csv, .json or .geojson. Raises InputError where it is none, or one is open."""
        super().__init__(path)
        read = _from_csv if path.suffix.lower() == ".csv" else _from_geojson
        self._by_line: dict[int, list[Polygon]] = defaultdict(list)
        for polygon in read(path, axis):
            self._by_line[polygon.line].append(polygon)

    def lines(self) -> list[int]:
        """Return the lines that the file names."""
        return sorted(self._by_line)

    def label(self, line: int, traces: Integers, sampling: Sampling) -> Label:
        """Draw the polygons of a line; see Labels."""
        drawn: dict[str, list[Mask]] = {SALT: [], INTERPRETED: []}
        for polygon in self._by_line.get(line, []):
            if polygon.rings:
                self._check_within(polygon, traces, sampling)
                drawn[polygon.kind].append(draw(polygon.rings, traces, sampling))
        shape = (sampling.count, len(traces))
        looked_at = drawn[INTERPRETED] or [np.full(shape, line in self._by_line)]
        interpreted = np.any(looked_at, axis=0)
        salt = np.any([np.zeros(shape, bool), *drawn[SALT]], axis=0)
        return Label(salt & interpreted, interpreted)

    def _check_within(self, polygon: Polygon, traces: Integers, sampling: Sampling) -> None:
        """Raise InputError for a polygon that has no part on its section."""
        corners = np.concatenate(polygon.rings)
        for name, values, low, high in (
            ("traces", corners[:, 0], float(traces.min()), float(traces.max())),
            ("depths", corners[:, 1], sampling.first, sampling.last()),
        ):
            if values.max() < low or values.min() > high:
                raise InputError(
                    f"{self.path}: line {polygon.line:,}: a polygon has {name} from"
                    f" {values.min():g} to {values.max():g}, and the section has {low:g} to"
                    f" {high:g}; give {name} as the survey numbers them"
                )


def draw(rings: Iterable[Ring], traces: Integers, sampling: Sampling) -> Mask:
    """Return which samples lie inside an odd number of rings, bool (samples, traces).

    Along each trace the depths at which edges cross it are sorted: a sample with an odd number of
    them above it is inside (even-odd rule).
    """
    drawn = np.zeros((sampling.count, len(traces)), bool)
    edges = np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in rings])
    samples = np.arange(sampling.count)
    for column, trace in enumerate(traces):
        crossing = sample_numbers(_crossings(edges, float(trace)), sampling)
        drawn[:, column] = np.searchsorted(np.sort(crossing), samples, side="right") % 2 == 1
    return drawn


def _crossings(edges: npt.NDArray[np.float64], trace: float) -> npt.NDArray[np.float64]:
    """Return the depths at which edges, float64 (n, 4), cross a trace; a corner counts once."""
    start, end = edges[:, 0], edges[:, 2]
    crossed = edges[(np.minimum(start, end) <= trace) & (trace < np.maximum(start, end))]
    share = (trace - crossed[:, 0]) / (crossed[:, 2] - crossed[:, 0])
    depths: npt.NDArray[np.float64] = crossed[:, 1] + share * (crossed[:, 3] - crossed[:, 1])
    return depths


def _from_csv(path: Path, axis: str) -> Iterator[Polygon]:
    required, optional = ("line", "trace", "depth"), ("polygon", "axis", "kind")
    corners: dict[tuple[int, str, str], list[tuple[float, float]]] = defaultdict(list)
    for where, row in read_columns(path, required, optional):
        line = int(number_of(row["line"], where, "line", whole=True))
        kind = _kind(row["kind"] or SALT, where)
        _check_axis(row["axis"] or axis, axis, where)
        found = corners[line, row["polygon"], kind]
        if row["trace"] or row["depth"]:
            found.append(
                (number_of(row["trace"], where, "trace"), number_of(row["depth"], where, "depth"))
            )
    for (line, name, kind), points in corners.items():
        named = f"{path}: line {line:,}, polygon {name or '(without a name)'}"
        yield Polygon(line, kind, (_ring(points, named),) if points else ())


def _from_geojson(path: Path, axis: str) -> Iterator[Polygon]:
    try:
        content = json.loads(read_regular(path, MOST))
    except ValueError:
        content = None
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        raise InputError(f"{path}: is no FeatureCollection of GeoJSON; export it as one")
    for number, feature in enumerate(features, start=1):
        yield from _feature(feature, f"{path}: feature {number}", axis)


def _feature(feature: object, where: str, axis: str) -> Iterator[Polygon]:
    properties = _mapping(feature, "properties", where)
    line = int(number_of(str(properties.get("line", "")), where, "line", whole=True))
    _check_axis(str(properties.get("axis") or axis), axis, where)
    kind = _kind(str(properties.get("kind") or SALT), where)
    if isinstance(feature, dict) and feature.get("geometry") is None:
        yield Polygon(line, kind, ())
        return
    geometry = _mapping(feature, "geometry", where)
    form, coordinates = geometry.get("type"), geometry.get("coordinates")
    if form not in ("Polygon", "MultiPolygon") or not coordinates:
        raise InputError(f"{where}: is {form!r}, not Polygon or MultiPolygon; draw it as one")
    for rings in [coordinates] if form == "Polygon" else coordinates:
        yield Polygon(line, kind, tuple(_ring(ring, f"{where} (line {line:,})") for ring in rings))


def _mapping(content: object, name: str, where: str) -> Mapping[str, Any]:
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise InputError(f"{where}: has no {name}; give each feature properties with a line")
    return found


def _ring(points: Iterable[Any], where: str) -> Ring:
    """Check a polygon's corners. Raises InputError where they are none, or it is open."""
    try:
        ring = np.array([[point[0], point[1]] for point in points], np.float64)
    except (TypeError, ValueError, IndexError, KeyError):
        ring = np.empty((0, 2))
    if not (ring.size and np.isfinite(ring).all()):
        raise InputError(
            f"{where}: its corners are not pairs of trace and depth; write each as two numbers"
        )
    if (ring[0] != ring[-1]).any():
        raise InputError(
            f"{where}: the polygon is open: it begins at trace {ring[0, 0]:g}, depth"
            f" {ring[0, 1]:g} and ends at trace {ring[-1, 0]:g}, depth {ring[-1, 1]:g}; repeat its"
            " first point at the end"
        )
    if len(ring) < 4:
        raise InputError(f"{where}: the polygon has {len(ring) - 1} corners; it needs 3 at least")
    return ring


def _kind(kind: str, where: str) -> str:
    if kind not in (SALT, INTERPRETED):
        raise InputError(f"{where}: kind is {kind!r}; write {SALT} or {INTERPRETED}")
    return kind


def _check_axis(found: str, axis: str, where: str) -> None:
    if found != axis:
        raise InputError(
            f"{where}: lies on axis {found!r}, and sections are cut along {axis}s; set"
            " ingest.own.axis, and keep the polygons of one axis: lines that cross share traces"
        )
