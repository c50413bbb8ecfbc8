"""Traces that pad a survey out to a rectangle: dead, or with no more than zeros in their headers.

Each survey is compared with the one that lacks them.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saltseg.reports.survey_sections import SectionName, section_axes
from saltseg.seismic.bodies import find_bodies
from saltseg.seismic.body_store import write_bodies
from saltseg.seismic.body_table import cell_volume
from saltseg.seismic.coordinates import along, fit_frame
from saltseg.seismic.horizons import write_horizons
from saltseg.seismic.inspection import inspect
from saltseg.seismic.learned_crops import survey_crops
from saltseg.seismic.options import Domain
from saltseg.seismic.segy import SegySurvey
from tests.seismic.conftest import CROSSLINES, INLINES, Opener, small
from tests.seismic.predictions import predict
from tests.seismic.segy_writer import Segy, grid_headers, volume

PADDED = [0, 1, 5, 6, 13]
"""A corner, that of trace 1, and a hole."""
LIVE = [number for number in range(30) if number not in PADDED]
FLAT = volume(len(INLINES), len(CROSSLINES)).reshape(-1, 40)
FLAGGED, EMPTY = {29: 2}, {29: 1}


def padded(flag: dict[int, int], **of_live: int) -> Segy:
    """Return a survey of whose headers padding has inline and crossline alone, and a flag."""
    more = {int(name.removeprefix("byte_")): value for name, value in of_live.items()}
    headers = [header | more for header in grid_headers(INLINES, CROSSLINES)]
    for number in PADDED:
        headers[number] = {byte: headers[number][byte] for byte in (189, 193)} | flag
    samples = FLAT.copy()
    samples[PADDED] = 0
    return small(samples=samples, headers=headers)


def without(**of_live: int) -> Segy:
    segy = padded(EMPTY, **of_live)
    samples = np.asarray(segy.samples)[LIVE]
    return small(samples=samples, headers=[segy.headers[number] for number in LIVE])


def facts_of(survey: SegySurvey) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(json.dumps(inspect(survey, survey_crops())))
    return facts


@pytest.mark.parametrize("flag", [FLAGGED, EMPTY], ids=["flagged dead", "zeros alone"])
def test_padding_does_not_move_a_survey_on_the_map(opened: Opener, flag: dict[int, int]) -> None:
    survey = opened(padded(flag), domain=Domain.DEPTH)
    found, cell = facts_of(survey), cell_volume(survey)
    bare = opened(without(), domain=Domain.DEPTH)
    assert found["coordinates"] == facts_of(bare)["coordinates"]
    assert found["coordinates"]["scalar"] == -100
    assert cell == pytest.approx(cell_volume(bare)) == pytest.approx(25 * 12.5 * 4, rel=1e-3)
    said = "5 flagged dead (byte 29) of 30" if flag == FLAGGED else "5 with 0 in bytes 181 and 185"
    (note,) = [note for note in found["notes"] if note.startswith("coordinates")]
    assert said in note


@pytest.mark.parametrize("inline", [100, 102, 104])
def test_distances_along_a_padded_line_are_those_of_live_traces(
    opened: Opener, inline: int
) -> None:
    name = SectionName("inline", inline)
    expected = section_axes(opened(without()), name).distances
    survey = opened(padded(FLAGGED))
    np.testing.assert_array_equal(section_axes(survey, name).distances, expected)
    assert survey.x is not None and survey.y is not None
    line = along(survey.x, survey.y, survey.grid.along("inline", inline))
    places = np.reshape(np.isin(np.arange(30), PADDED), (6, 5))
    assert np.isnan(line).tolist() == places[INLINES.index(inline)].tolist()


def test_a_store_of_a_padded_survey_knows_how_it_lies(opened: Opener, tmp_path: Path) -> None:
    survey = opened(padded(FLAGGED))
    store = predict(tmp_path / "a.zarr", survey, np.zeros((6, 5, 40), bool))
    for values in (store.x, store.y):
        assert values is not None
        assert np.flatnonzero(np.isnan(values)).tolist() == PADDED
    assert survey.x is not None and survey.y is not None
    assert store.x is not None and store.y is not None
    assert fit_frame(store.grid, store.x, store.y) == fit_frame(survey.grid, survey.x, survey.y)


def test_the_unit_of_coordinates_is_that_of_live_traces(opened: Opener) -> None:
    survey = opened(padded(FLAGGED, byte_89=3), domain=Domain.DEPTH)
    assert cell_volume(survey) is None
    assert any("decimal degrees" in note for note in survey.notes)


@pytest.mark.parametrize("flag", [FLAGGED, EMPTY], ids=["flagged dead", "zeros alone"])
def test_padding_without_a_delay_lengthens_no_trace(opened: Opener, flag: dict[int, int]) -> None:
    survey = opened(padded(flag, byte_109=400))
    assert (survey.sampling.first, survey.sampling.count) == (400, 40)
    np.testing.assert_array_equal(survey.section("inline", 108).amplitude, FLAT[20:25])
    (note,) = [note for note in survey.notes if note.startswith("delay")]
    assert "5 traces" in note
    assert "the usual 400" in note


def test_a_live_trace_with_a_delay_keeps_it_without_coordinates(opened: Opener) -> None:
    headers = [header | {109: 100} for header in grid_headers(INLINES, CROSSLINES)]
    headers[7] |= {181: 0, 185: 0, 109: 108}
    survey = opened(small(headers=headers))
    assert (survey.sampling.first, survey.sampling.count) == (100, 42)
    np.testing.assert_array_equal(survey.section("inline", 102).amplitude[2, 2:], FLAT[7])


def test_most_traces_being_padding_do_not_tell_the_interval(opened: Opener) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    for header in headers[:20]:
        header |= {29: 2, 117: 0}
    survey = opened(small(headers=headers, binary={3217: ("h", 0)}))
    assert survey.sampling.interval == 4
    assert not any("varies" in note for note in survey.notes)


def test_bytes_that_only_dead_traces_fill_hold_no_coordinates(opened: Opener) -> None:
    headers = []
    for header in grid_headers(INLINES, CROSSLINES):
        headers.append(header | {73: header[181], 77: header[185], 181: 0, 185: 0})
    headers[4] |= {29: 2, 181: 17, 185: 19}
    survey = opened(small(headers=headers))
    assert survey.coordinates is not None
    assert survey.coordinates.bytes == (73, 77)


def test_a_survey_may_begin_at_its_own_origin(opened: Opener) -> None:
    """One trace at 0, 0 is right beside its neighbours, and wrong where these are far away."""
    headers = grid_headers(INLINES, CROSSLINES)
    moved = [h | {181: h[181] - headers[0][181], 185: h[185] - headers[0][185]} for h in headers]
    assert (moved[0][181], moved[0][185]) == (0, 0)
    survey = opened(small(headers=moved))
    assert survey.x is not None
    assert survey.x[0] == 0
    assert not any("coordinates" in note for note in survey.notes)
    far = opened(small(headers=[headers[0] | {181: 0, 185: 0}, *headers[1:]]))
    assert far.x is not None
    assert np.flatnonzero(np.isnan(far.x)).tolist() == [0]


def test_points_of_live_traces_without_coordinates_are_in_the_table_alone(
    opened: Opener, tmp_path: Path
) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    headers[7] |= {181: 0, 185: 0}
    survey = opened(small(headers=headers))
    mask = np.zeros((6, 5, 40), bool)
    mask[..., 10:20] = True
    store = predict(tmp_path / "a.zarr", survey, mask)
    labels = write_bodies(tmp_path / "b.zarr", survey, store, find_bodies(store, 1))
    assert write_horizons(tmp_path, store, labels) == 30
    assert "\n102,302,,,1,1,40,76,True,True\n" in (tmp_path / "horizons.csv").read_text()
    for name in ("top.xyz", "base.xyz"):
        points = np.loadtxt(tmp_path / name)
        assert points.shape == (29, 7)
        assert (points[:, 2] > 1000).all()
