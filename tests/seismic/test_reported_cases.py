"""What users of other software report: each on a file that the test writes, with right values."""

from pathlib import Path

import numpy as np
import pytest

from saltseg.plumbing.errors import InputError
from saltseg.seismic.amplitudes import amplitude_statistics
from saltseg.seismic.options import Domain, Polarity, SurveyOptions
from saltseg.seismic.segy import open_segy
from tests.seismic.conftest import CROSSLINES, INLINES, Opener, small
from tests.seismic.segy_writer import Segy, grid_headers, on_map, text_header, volume

VOLUME = volume(len(INLINES), len(CROSSLINES))
FLAT = VOLUME.reshape(-1, 40)


def message(opened: Opener, segy: Segy, **options: object) -> str:
    with pytest.raises(InputError) as raised:
        opened(segy, **options)
    text = str(raised.value)
    assert "\n" not in text
    return text


def noted(notes: tuple[str, ...], *parts: str) -> bool:
    return any(all(part in note for part in parts) for note in notes)


def test_places_without_a_trace_and_corners_that_are_missing(opened: Opener) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    kept = [n for n in range(30) if n not in (0, 1, 5, 29, 13)]  # corners, an edge, a hole
    survey = opened(small(samples=FLAT[kept], headers=[headers[n] for n in kept]))
    assert (survey.grid.count, survey.grid.places) == (25, 30)
    assert survey.grid.inlines.tolist() == INLINES
    section = survey.section("inline", 100)
    assert section.traces.tolist() == [-1, -1, 0, 1, 2]
    assert section.live.any(axis=1).tolist() == [False, False, True, True, True]
    np.testing.assert_array_equal(section.amplitude[2:], VOLUME[0, 2:])
    assert not section.amplitude[:2].any()


def test_a_whole_inline_that_is_missing_keeps_its_place(opened: Opener) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    survey = opened(
        small(samples=np.delete(FLAT, slice(10, 15), 0), headers=headers[:10] + headers[15:])
    )
    assert survey.grid.inlines.tolist() == INLINES
    assert not survey.section("inline", 104).live.any()
    assert survey.section("crossline", 302).traces.tolist() == [2, 7, -1, 12, 17, 22]


def test_a_few_irregular_lines_are_not_filled_up(opened: Opener) -> None:
    lines = [100, 117, 260, 301, 999, 1400]
    survey = opened(small(headers=grid_headers(lines, CROSSLINES)))
    assert survey.grid.inlines.tolist() == lines


@pytest.mark.parametrize("pair", [(5, 21), (9, 13), (221, 225), (9, 21), (17, 13)])
def test_lines_at_other_bytes_are_found_and_told(opened: Opener, pair: tuple[int, int]) -> None:
    survey = opened(small(headers=grid_headers(INLINES, CROSSLINES, *pair)))
    assert (survey.geometry.inline_byte, survey.geometry.crossline_byte) == pair
    assert noted(survey.notes, "189 and 193", f"byte {pair[0]}", f"byte {pair[1]}")
    np.testing.assert_array_equal(survey.section("crossline", 301).amplitude, VOLUME[:, 1])


def test_lines_at_bytes_that_nobody_uses_are_asked_for(opened: Opener) -> None:
    segy = small(headers=grid_headers(INLINES, CROSSLINES, 233, 41))
    text = message(opened, segy)
    assert "--inline-byte" in text
    assert "--cdp-byte" in text
    survey = opened(segy, inline_byte=233, crossline_byte=41)
    np.testing.assert_array_equal(survey.section("inline", 104).amplitude, VOLUME[2])


def test_two_different_grids_are_asked_about(opened: Opener) -> None:
    headers = grid_headers(INLINES, CROSSLINES, 5, 21)
    other = grid_headers(CROSSLINES, INLINES, 221, 225)
    text = message(opened, small(headers=[a | b for a, b in zip(headers, other, strict=True)]))
    assert "bytes 5 and 21" in text
    assert "221 and 225" in text
    assert "byte 221 runs from 300 to 304" in text


@pytest.mark.parametrize("pair", [(73, 77), (81, 85), (201, 205)])
def test_coordinates_at_other_bytes(opened: Opener, pair: tuple[int, int]) -> None:
    headers = [
        {189: h[189], 193: h[193], 71: h[71], pair[0]: h[181], pair[1]: h[185]}
        for h in grid_headers(INLINES, CROSSLINES)
    ]
    survey = opened(small(headers=headers))
    assert survey.coordinates is not None
    assert survey.coordinates.bytes == pair
    assert noted(survey.notes, f"byte {pair[0]}", f"byte {pair[1]}")
    named = opened(small(headers=headers), x_byte=pair[0], y_byte=pair[1])
    assert survey.x is not None and named.x is not None
    np.testing.assert_allclose(survey.x[7], on_map(1, 2)[0], atol=0.01)
    np.testing.assert_array_equal(survey.x, named.x)


@pytest.mark.parametrize(("scalar", "factor"), [(-100, 0.01), (-10, 0.1), (0, 1), (1, 1), (10, 10)])
def test_the_scalar_of_coordinates(opened: Opener, scalar: int, factor: float) -> None:
    headers = [h | {71: scalar} for h in grid_headers(INLINES, CROSSLINES)]
    survey = opened(small(headers=headers))
    assert survey.x is not None and survey.y is not None
    np.testing.assert_allclose(survey.x, [h[181] * factor for h in headers])
    np.testing.assert_allclose(survey.y, [h[185] * factor for h in headers])


@pytest.mark.parametrize("order", ["by crossline", "downwards", "shuffled"])
def test_no_order_of_traces_is_assumed(opened: Opener, order: str) -> None:
    numbers = {
        "by crossline": np.arange(30).reshape(6, 5).T.ravel(),
        "downwards": np.arange(30).reshape(6, 5)[::-1].ravel(),
        "shuffled": np.random.default_rng(0).permutation(30),
    }[order]
    headers = grid_headers(INLINES, CROSSLINES)
    survey = opened(small(samples=FLAT[numbers], headers=[headers[n] for n in numbers]))
    for place, number in enumerate(INLINES):
        np.testing.assert_array_equal(survey.section("inline", number).amplitude, VOLUME[place])
    for place, number in enumerate(CROSSLINES):
        found = survey.section("crossline", number)
        np.testing.assert_array_equal(found.amplitude, VOLUME[:, place])
        assert found.numbers.tolist() == INLINES
    np.testing.assert_array_equal(survey.grid.traces.ravel()[numbers], np.arange(30))
    np.testing.assert_array_equal(survey.places(), numbers)


def test_a_place_that_is_twice_there_is_named_and_the_first_trace_taken(opened: Opener) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    headers[17] = headers[12]
    survey = opened(small(headers=headers))
    assert noted(survey.notes, "inline 104, crossline 302", "traces 13 and 18")
    np.testing.assert_array_equal(survey.section("inline", 104).amplitude[2], FLAT[12])
    assert survey.places()[[12, 17, 18]].tolist() == [12, 12, 18]


def test_many_places_twice_there_stop(opened: Opener) -> None:
    text = message(opened, small(headers=grid_headers([100, 102, 104] * 2, CROSSLINES)))
    assert "inline 100, crossline 300 (bytes 189 and 193)" in text
    assert "traces 1 and 16" in text
    assert "15 of 30 traces" in text


def line_headers(cdps: list[int], **more: int) -> list[dict[int, int]]:
    return [{21: cdp, 181: 10 * n, 185: 5 * n} for n, cdp in enumerate(cdps)]


def test_a_2d_line_is_laid_out_by_cdp(opened: Opener) -> None:
    cdps = [7, 6, 5, 9, 8]
    survey = opened(small(samples=FLAT[:5], headers=line_headers(cdps)))
    section = survey.section("line", 0)
    assert survey.kind == "2d"
    assert section.numbers.tolist() == [5, 6, 7, 8, 9]
    np.testing.assert_array_equal(section.amplitude, FLAT[[2, 1, 0, 4, 3]])
    assert section.traces.tolist() == [2, 1, 0, 4, 3]
    assert survey.places().tolist() == [2, 1, 0, 4, 3]


def test_a_cdp_that_is_twice_on_a_line_keeps_the_files_order(opened: Opener) -> None:
    survey = opened(small(samples=FLAT[:5], headers=line_headers([7, 6, 5, 6, 8])))
    assert noted(survey.notes, "CDP 6 (byte 21)", "traces 2 and 4", "file's order")
    np.testing.assert_array_equal(survey.section("line", 0).amplitude, FLAT[:5])


@pytest.mark.parametrize(
    "headers",
    [
        grid_headers([42], range(300, 330)),
        grid_headers(range(300, 330), [42]),
        [{189: 100 + n // 3, 193: 300 + n, 21: n} for n in range(30)],
        [{189: 100 + n, 193: 300 + n} for n in range(30)],
    ],
    ids=["one inline", "one crossline", "across the grid", "diagonal"],
)
def test_a_line_with_3d_headers_is_a_line(opened: Opener, headers: list[dict[int, int]]) -> None:
    survey = opened(small(headers=headers))
    assert survey.kind == "2d"
    line = int(survey.grid.inlines[0])
    assert survey.section("line", line).numbers.tolist() == list(range(300, 330))
    np.testing.assert_array_equal(survey.section("line", line).amplitude, FLAT)


@pytest.mark.parametrize("in_2d", [False, True])
def test_gathers_are_refused(opened: Opener, in_2d: bool) -> None:
    places = [{21: 7 + n} if in_2d else {189: 100 + n // 2, 193: 300 + n % 2} for n in range(6)]
    headers = [place | {37: 150 + 100 * fold} for place in places for fold in range(5)]
    text = message(opened, small(headers=headers))
    assert "5 traces with offsets 150 to 550 (byte 37)" in text
    assert "stack" in text
    assert ("CDP 7 (byte 21)" if in_2d else "inline 100, crossline 300") in text


def test_wrong_bytes_that_make_a_sparse_grid_stop_and_say_how_sparse(opened: Opener) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    drawn = np.random.default_rng(0).integers(0, 2**31 - 1, (30, 2)).tolist()
    drawn[3][0], drawn[5][1] = drawn[2][0], drawn[4][1]  # not a line
    for header, (one, two) in zip(headers, drawn, strict=True):
        header |= {189: one, 193: two, 21: one}
    text = message(opened, small(headers=headers))
    assert "bytes 189 (" in text
    assert "make a grid of 841 places for 30 traces, 28 for each" in text
    assert "--inline-byte" in text


def test_a_thin_grid_is_doubted(opened: Opener) -> None:
    headers = [{189: n // 3, 193: n % 3 + 4 * (n // 3)} for n in range(30)]
    survey = opened(small(headers=headers))
    assert survey.kind == "2d"  # each crossline has one trace
    headers = [{189: n // 3, 193: n % 3 + 2 * (n // 3)} for n in range(30)]
    survey = opened(small(headers=headers))
    assert noted(survey.notes, "7.0 for each")


@pytest.mark.parametrize(
    ("binary", "trace", "right", "said"),
    [
        (4000, 4000, 4.0, ()),
        (0, 2000, 2.0, ("3217 says 0", "(byte 117)")),
        (-4000, 2000, 2.0, ("3217 says -4,000",)),
        (2000, 0, 2.0, ("117 of the traces 0", "(byte 3217)")),
        (4000, 2000, 2.0, ("3217 says 4,000", "traces 2,000", "--interval")),
    ],
)
def test_the_interval_that_can_be_is_taken_and_told(
    opened: Opener, binary: int, trace: int, right: float, said: tuple[str, ...]
) -> None:
    survey = opened(small(interval=trace, binary={3217: ("h", binary)}))
    assert survey.sampling.interval == right
    assert noted(survey.notes, *said) == bool(said)


@pytest.mark.parametrize(("binary", "trace"), [(0, 0), (-1, -4000), (4, 0)])
def test_no_interval_is_made_up(opened: Opener, binary: int, trace: int) -> None:
    segy = small(interval=trace, binary={3217: ("h", binary)})
    text = message(opened, segy)
    assert f"{binary:,} in byte 3217" in text
    assert f"{trace:,} in byte 117" in text
    assert "--interval" in text
    assert opened(segy, interval=2.5).sampling.interval == 2.5


@pytest.mark.parametrize(
    ("delay", "scalar", "first"),
    [(100, 0, 100), (-48, 1, -48), (1234, -10, 123.4), (12, 100, 1200), (40, 77, 40)],
)
def test_the_delay_with_its_scalar_and_sign(
    opened: Opener, delay: int, scalar: int, first: float
) -> None:
    survey = opened(small(common={109: delay, 215: scalar}))
    assert survey.sampling.first == pytest.approx(first)
    assert survey.sampling.last() == pytest.approx(first + 39 * 4)


def test_delays_that_differ_lay_traces_out_where_they_begin(opened: Opener) -> None:
    headers = [h | {109: 8 * (n % 5)} for n, h in enumerate(grid_headers(INLINES, CROSSLINES))]
    survey = opened(small(headers=headers))
    assert (survey.sampling.first, survey.sampling.count) == (0, 48)
    section = survey.section("inline", 100)
    for trace in range(5):
        here = slice(2 * trace, 2 * trace + 40)
        np.testing.assert_array_equal(section.amplitude[trace, here], VOLUME[0, trace])
        assert section.live[trace, here].all()
        assert section.live[trace].sum() == 40
    assert noted(survey.notes, "byte 109", "0 to 32")


def test_one_delay_that_cannot_be_is_named(opened: Opener) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    headers[8][109] = 31_000
    survey = opened(small(headers=headers))
    assert noted(survey.notes, "trace 9", "31000")
    assert survey.sampling.count == 40


def test_time_or_depth_is_told_or_unknown(opened: Opener) -> None:
    assert opened(small()).sampling.domain is None
    assert opened(small()).sampling.unit == "ms, m or ft"
    assert opened(small(), domain=Domain.TIME).sampling.unit == "ms"
    depth = opened(small(binary={3255: ("h", 2)}), domain=Domain.DEPTH)
    assert (depth.sampling.unit, depth.sampling.domain) == ("ft", Domain.DEPTH)
    assert noted(opened(small(), domain=Domain.DEPTH).notes, "3255", "--unit")


def test_a_damaged_textual_header_is_kept_as_it_is(opened: Opener) -> None:
    damaged = bytes(range(256)) * 12 + bytes(128)
    survey = opened(small(text=damaged))
    assert survey.layout.header.text == damaged
    np.testing.assert_array_equal(survey.section("inline", 100).amplitude, VOLUME[0])


@pytest.mark.parametrize("value", [0.0, 17.0, -999.25, 1e30, np.nan, np.inf])
def test_no_live_trace_is_said(opened: Opener, value: float) -> None:
    survey = opened(small(samples=np.full((30, 40), value)))
    assert not survey.section("inline", 100).live.any()
    with pytest.raises(InputError, match=r"no live trace: all 30 are"):
        amplitude_statistics(survey)


def test_what_is_no_data_is_never_counted(opened: Opener) -> None:
    samples = FLAT.copy()
    samples[:, 5] = -999.25
    samples[3, 20:23] = [1e30, np.nan, -np.inf]
    samples[4, 7] = -1e30
    samples[6] = 0
    samples[7, :12] = 0  # muted
    samples[8, :12] = 1e-3  # water
    samples[9, 30:] = 0
    samples[10, 3] = -9999.0
    survey = opened(small(samples=samples), null=-9999.0)
    expected = np.ones((30, 40), bool)
    expected[:, 5] = False
    expected[3, 20:23] = expected[4, 7] = expected[6] = expected[10, 3] = False
    expected[7, :12] = expected[8, :12] = expected[9, 30:] = False
    found, live = survey.traces(np.arange(30))
    np.testing.assert_array_equal(live, expected)
    np.testing.assert_array_equal(found, np.where(expected, samples, 0))
    statistics = amplitude_statistics(survey)
    assert (statistics.least, statistics.most) == (-99, 99)
    assert (statistics.looked_at, statistics.dead) == (30, 1)
    assert statistics.no_data == pytest.approx(1 - expected.mean())


def test_traces_flagged_dead_are_no_data_unless_all_are(opened: Opener) -> None:
    headers = grid_headers(INLINES, CROSSLINES)
    headers[1][29] = 2
    survey = opened(small(headers=headers))
    assert survey.section("inline", 100).live.all(axis=1).tolist() == [True, False] + 3 * [True]
    everywhere = opened(small(common={29: 2}))
    assert everywhere.section("inline", 100).live.all()


def test_a_file_cut_short(opened: Opener, tmp_path: Path) -> None:
    path = small().write(tmp_path / "cut.sgy")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(
        InputError, match=r"28 whole traces of 40 samples .* and 300 bytes"
    ) as raised:
        open_segy(path, SurveyOptions())
    assert "--whole-traces" in str(raised.value)
    survey = open_segy(path, SurveyOptions(whole_traces=True))
    assert (survey.grid.count, survey.grid.places) == (28, 30)
    assert noted(survey.notes, "28 whole traces")
    np.testing.assert_array_equal(survey.section("inline", 108).amplitude, VOLUME[4])


def test_one_spike_hardly_moves_the_percentiles(opened: Opener) -> None:
    samples = FLAT.copy()
    samples[14, 20] = 50 * 99
    spiked, plain = (amplitude_statistics(opened(small(samples=s))) for s in (samples, FLAT))
    assert spiked.most == 50 * 99
    np.testing.assert_allclose(spiked.percentiles[:-1], plain.percentiles[:-1], atol=2)


def test_polarity_is_told(opened: Opener) -> None:
    section = opened(small(), polarity=Polarity.REVERSED).section("inline", 100)
    np.testing.assert_array_equal(section.amplitude, -VOLUME[0])


@pytest.mark.parametrize("code", ["cp037", "ascii"])
def test_the_textual_header_is_shown(opened: Opener, code: str) -> None:
    from saltseg.seismic.text_header import decode_text

    lines = ["C 1 INTERVAL 2 MS, WHATEVER THE BINARY HEADER SAYS"] + 39 * ["C"]
    survey = opened(small(text=text_header("\n".join(lines), code)))
    assert decode_text(survey.layout.header.text) == lines
