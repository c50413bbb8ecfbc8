"""Top and base of salt, and the table of bodies, against plain loops."""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from saltseg.seismic.bodies import find_bodies
from saltseg.seismic.body_store import write_bodies
from saltseg.seismic.body_table import body_table, cell_volume, least_body
from saltseg.seismic.horizons import write_horizons
from saltseg.seismic.options import Domain
from saltseg.seismic.segy import SegySurvey
from saltseg.seismic.store import StoredSurvey
from tests.helpers.small_surveys import blobs, line, with_gaps
from tests.seismic.conftest import CROSSLINES, INLINES, Opener, small
from tests.seismic.predictions import predict
from tests.seismic.segy_writer import Segy, grid_headers

Mask = npt.NDArray[np.bool_]
HEAD = ["inline", "crossline", "x", "y", "body", "interval", "top", "base"]
HEAD += ["top_seen", "base_seen"]


def without_coordinates() -> Segy:
    headers = [{189: h[189], 193: h[193]} for h in grid_headers(INLINES, CROSSLINES)]
    return small(headers=headers)


def labelled(
    folder: Path, survey: SegySurvey, mask: Mask, dead: Mask | None = None
) -> tuple[StoredSurvey, StoredSurvey]:
    store = predict(folder / "store.zarr", survey, mask, dead)
    bodies = find_bodies(store, 3, (4, 4, 16))
    return store, write_bodies(folder / "bodies.zarr", survey, store, bodies)


def slowly(survey: SegySurvey, store: StoredSurvey, labels: StoredSurvey) -> list[list[str]]:
    """Walk down each trace and note where salt begins and ends."""
    everything = slice(None), slice(None)
    bodies, live = labels.block("body", *everything), store.block("live", *everything)
    step, zero, count = survey.sampling.interval, survey.sampling.first, survey.sampling.count
    lines = []
    for i, c in np.ndindex(bodies.shape[:2]):
        interval, start = 0, None
        for s in range(count + 1):
            salt = s < count and bodies[i, c, s] > 0
            if salt and start is None:
                start = s
            if not salt and start is not None:
                interval += 1
                trace = survey.grid.traces[i, c]
                x, y = (
                    ("", "")
                    if survey.x is None or survey.y is None
                    else (f"{survey.x[trace]:.10g}", f"{survey.y[trace]:.10g}")
                )
                lines.append(
                    [
                        str(survey.grid.inlines[i]),
                        str(survey.grid.crosslines[c]),
                        x,
                        y,
                        str(bodies[i, c, start]),
                        str(interval),
                        f"{zero + step * start:.10g}",
                        f"{zero + step * (s - 1):.10g}",
                        str(bool(start > 0 and live[i, c, start - 1])),
                        str(bool(s < count and live[i, c, s])),
                    ]
                )
                start = None
    return lines


@pytest.mark.parametrize("segy", [small, with_gaps, line, without_coordinates])
def test_horizons_are_those_of_plain_loops(opened: Opener, tmp_path: Path, segy: type) -> None:
    survey = opened(segy())
    shape = (*survey.grid.traces.shape, survey.sampling.count)
    store, labels = labelled(tmp_path, survey, blobs(shape), blobs(shape, 2, 1.2))
    count = write_horizons(tmp_path, store, labels)
    with (tmp_path / "horizons.csv").open() as file:
        head, *lines = list(csv.reader(file))
    assert head == HEAD
    expected = slowly(survey, store, labels)
    assert lines == expected
    assert count == len(expected) > 20
    assert {line[5] for line in lines} >= {"1", "2"}
    for name, z, seen in (("top", 6, 8), ("base", 7, 9)):
        path = tmp_path / f"{name}.xyz"
        assert path.exists() is (survey.x is not None)
        if survey.x is not None:
            points = [
                " ".join([*each[:4], each[z], *each[4:6]])
                for each in expected
                if each[seen] == "True"
            ]
            assert path.read_text().splitlines() == points
            assert 0 < len(points) < len(lines)


@pytest.mark.parametrize("salt", [False, True])
def test_no_salt_and_nothing_but_salt(opened: Opener, tmp_path: Path, salt: bool) -> None:
    survey = opened(small())
    store, labels = labelled(tmp_path, survey, np.full((6, 5, 40), salt))
    assert write_horizons(tmp_path, store, labels) == (30 if salt else 0)
    assert (tmp_path / "top.xyz").read_text() == (tmp_path / "base.xyz").read_text() == ""


def test_the_table_of_bodies(opened: Opener, tmp_path: Path) -> None:
    """A box of 2 inlines, 3 crosslines and 10 samples, two of whose sides the data end at."""
    mask = np.zeros((6, 5, 40), bool)
    mask[0:2, 1:4, 0:10] = True
    mask[3:6, 0, 20] = True
    survey = opened(small(), domain=Domain.DEPTH)
    store = predict(tmp_path / "a.zarr", survey, mask)
    cell = cell_volume(survey)
    assert cell == pytest.approx(25 * 12.5 * 4, rel=1e-3)
    first, second = body_table(find_bodies(store, 1), store, cell).to_dict("records")
    assert (first["samples"], second["samples"]) == (60, 3)
    assert first["volume_m3"] == pytest.approx(60 * 25 * 12.5 * 4, rel=1e-3)
    assert (first["inline_first"], first["inline_last"]) == (100, 102)
    assert (first["crossline_first"], first["crossline_last"]) == (301, 303)
    assert (first["top"], first["base"]) == (0, 36)
    assert (first["apex_inline"], first["apex_crossline"]) == (100, 301)
    assert survey.x is not None
    assert first["apex_x"] == survey.x[1]
    values = store.block("probability", slice(0, 2), slice(1, 4), slice(0, 10))
    assert first["mean_probability"] == pytest.approx(values.mean(dtype=np.float64))
    outer = 2 * (2 * 3 + 2 * 10 + 3 * 10)
    assert first["edge_share"] == pytest.approx((2 * 3 + 3 * 10) / outer)


@pytest.mark.parametrize(
    ("segy", "options", "volume_of_a_sample"),
    [
        (small, {"domain": Domain.TIME}, None),
        (small, {}, None),
        (line, {"domain": Domain.DEPTH}, None),
        (without_coordinates, {"domain": Domain.DEPTH}, None),
        (lambda: small(common={89: 3}), {"domain": Domain.DEPTH}, None),
        (
            lambda: small(binary={3255: ("h", 2)}),
            {"domain": Domain.DEPTH},
            25 * 12.5 * 4 * 0.3048**3,
        ),
    ],
)
def test_cubic_metres_are_given_where_they_are_known(
    opened: Opener, segy: type, options: dict[str, object], volume_of_a_sample: float | None
) -> None:
    found = cell_volume(opened(segy(), **options))
    assert found == (volume_of_a_sample and pytest.approx(volume_of_a_sample, rel=1e-3))


def test_the_least_body_scales_with_the_sampling(opened: Opener) -> None:
    """A plane wave 16 samples long and 12 traces wide; finer samples make larger limits."""
    inlines, crosslines = range(40), range(40)
    found = {}
    for fine in (1, 2):
        i, c, s = np.meshgrid(inlines, crosslines, np.arange(80 * fine), indexing="ij")
        wave = np.cos(2 * np.pi * (s / (16 * fine) + i / 12)) + np.cos(2 * np.pi * c / 12)
        headers = grid_headers(inlines, crosslines)
        survey = opened(small(samples=wave.reshape(1600, -1), headers=headers))
        found[fine] = least_body(survey)
    assert 1.6 < found[2] / found[1] < 2.4
