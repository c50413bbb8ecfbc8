"""Surveys whose outline lies oblique to their lines, so that most of a right grid is empty."""

from collections.abc import Callable

import numpy as np
import pytest

from saltseg.plumbing.errors import InputError
from tests.seismic.conftest import Opener
from tests.seismic.segy_writer import Segy, on_map

Header = dict[int, int]
LINES, EACH = 30, 15
SAMPLES = np.random.default_rng(0).normal(0, 100, (LINES * EACH, 8))


def strip(changed: Callable[[Header], Header]) -> Segy:
    """Return lines that each begin a crossline further; bytes 9 and 13 number line and trace."""
    headers = []
    for line, trace in np.ndindex(LINES, EACH):
        x, y = on_map(line, line + trace)
        header = {189: 100 + line, 193: 500 + line + trace, 9: 100 + line, 13: 1 + trace}
        headers.append(changed(header | {71: -100, 181: round(100 * x), 185: round(100 * y)}))
    return Segy(SAMPLES, headers)


def same(header: Header) -> Header:
    return header


def without_coordinates(header: Header) -> Header:
    return header | {181: 0, 185: 0}


def beside_the_grid(header: Header) -> Header:
    return header | {181: header[181] + 2500 * (header[189] * header[193] % 7)}


def test_a_thin_grid_that_coordinates_confirm_is_kept(opened: Opener) -> None:
    survey = opened(strip(same))
    assert (survey.geometry.inline_byte, survey.geometry.crossline_byte) == (189, 193)
    assert survey.grid.traces.shape == (LINES, LINES + EACH - 1)
    section = survey.section("crossline", 520)
    assert section.numbers[section.traces >= 0].tolist() == list(range(106, 121))
    (note,) = survey.notes
    assert "189 and 193 make a grid of 2.9 places" in note
    assert "coordinates confirm" in note
    assert "bytes 9 and 13" in note


@pytest.mark.parametrize("changed", [without_coordinates, beside_the_grid])
def test_a_thin_grid_that_nothing_confirms_is_asked_about(
    opened: Opener, changed: Callable[[Header], Header]
) -> None:
    segy = strip(changed)
    with pytest.raises(InputError, match=r"bytes 9 and 13 a denser one.*--inline-byte") as raised:
        opened(segy)
    assert "bytes 189 and 193 make a grid of 2.9 places for each trace" in str(raised.value)
    named = opened(segy, inline_byte=189, crossline_byte=193)
    assert named.grid.traces.shape == (LINES, LINES + EACH - 1)


def test_padding_does_not_keep_coordinates_from_confirming(opened: Opener) -> None:
    def first_is_padding(header: Header) -> Header:
        return without_coordinates(header) | {29: 2} if header[13] == 1 else header

    survey = opened(strip(first_is_padding))
    assert survey.geometry.inline_byte == 189


def test_other_bytes_that_say_the_same_leave_a_thin_grid_alone(opened: Opener) -> None:
    """Only gaps in its numbers make it thin; byte 9 counts the lines that there are."""
    headers = []
    for line, trace in np.ndindex(LINES, EACH):
        inline, crossline = 100 + max(2 * line - 1, 0), 500 + line // 2 + trace
        headers.append({189: inline, 193: crossline, 9: line, 13: crossline})
    survey = opened(Segy(SAMPLES, headers))
    assert survey.geometry.inline_byte == 189
    assert survey.grid.inlines.tolist() == list(range(100, 158))
