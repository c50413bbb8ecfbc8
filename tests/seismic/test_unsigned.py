"""Unsigned amplitudes: they are the signed ones with their middle added, and are read as these."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from saltseg.plumbing.errors import InputError
from saltseg.seismic.array_file import open_array
from saltseg.seismic.options import Polarity, SurveyOptions
from saltseg.seismic.segy import open_segy
from saltseg.seismic.survey import Survey
from tests.seismic.segy_writer import Segy, grid_headers

Signed = npt.NDArray[np.int64]
SIDES = 4, 50
FIRST, LAST = 12, 70
"""The samples that hold signal: above is a mute, below is padding."""


def skewed(largest: int) -> Signed:
    """Return amplitudes whose median is not 0, (traces, samples), muted above and below."""
    values = np.random.default_rng(2).gamma(9, size=(SIDES[0] * SIDES[1], 80)) - 8.9
    values = np.rint(values * largest / abs(values).max()).astype(np.int64)
    values[abs(values) * 200 < largest] = 1 + largest // 200  # none so quiet as water
    values[:, :FIRST] = values[:, LAST:] = 0
    values[7] = 0  # a dead trace
    return values


def in_segy(path: Path, samples: Signed, number: int, **options: object) -> Survey:
    headers = grid_headers(range(SIDES[0]), range(SIDES[1]))
    file = Segy(samples, headers, sample_format=number).write(path.with_suffix(".sgy"))
    return open_segy(file, SurveyOptions(**options))  # type: ignore[arg-type]


def in_array(path: Path, samples: Signed, code: str, **options: object) -> Survey:
    np.save(path.with_suffix(".npy"), samples.reshape(*SIDES, -1).astype(code))
    given = SurveyOptions(axes="inline,crossline,sample", **options)  # type: ignore[arg-type]
    return open_array(path.with_suffix(".npy"), given)


def assert_equal(one: Survey, other: Survey) -> None:
    for axis in one.grid.axes:
        for number in one.grid.numbers(axis).tolist():
            first, second = one.section(axis, number), other.section(axis, number)
            np.testing.assert_array_equal(first.amplitude, second.amplitude)
            np.testing.assert_array_equal(first.live, second.live)


@pytest.mark.parametrize("polarity", Polarity)
@pytest.mark.parametrize(("largest", "middle"), [(127, 128), (32767, 32768), (2047, 2048)])
def test_they_are_read_as_the_signed_ones(
    tmp_path: Path, largest: int, middle: int, polarity: Polarity
) -> None:
    """Mutes are told though the median lies beside the middle that they are written in."""
    signed = skewed(largest)
    assert np.median(signed[:, FIRST:LAST]) != 0
    expected = in_array(tmp_path / "signed", signed, "i4", polarity=polarity)
    live = expected.section("inline", 1).live
    assert live[:, FIRST:LAST].all() and not live[:, :FIRST].any() and not live[:, LAST:].any()
    assert not expected.section("inline", 0).live[7].any()
    bits = 8 if middle == 128 else 16
    number, code = {8: (16, "u1"), 16: (11, "u2")}[bits]
    for survey in (
        in_segy(tmp_path / "unsigned", signed + middle, number, polarity=polarity),
        in_array(tmp_path / "unsigned", signed + middle, code, polarity=polarity),
    ):
        assert survey.zero == middle
        assert_equal(survey, expected)


def test_any_other_middle_is_their_median(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(60, 141, (200, 80))
    survey = in_array(tmp_path / "a", values, "u1")
    assert survey.zero == np.rint(np.median(values)) and survey.zero != 128
    raw = survey.raw(np.arange(50))
    np.testing.assert_array_equal(raw, values[:50])  # a truth is taken from these
    np.testing.assert_array_equal(survey.section("inline", 0).amplitude, raw - survey.zero)


def test_padding_with_zeros_and_nulls_are_told_as_the_file_has_them(tmp_path: Path) -> None:
    values = skewed(127) + 128
    values[:, :FIRST] = values[:, LAST:] = 0
    values[:, 40] = 255
    values[:, 41] = 2  # 126 below the middle, not null
    live = in_array(tmp_path / "a", values, "u1", null=255).section("inline", 1).live
    assert not live[:, :FIRST].any() and not live[:, LAST:].any() and not live[:, 40].any()
    assert live[:, 41].all()
    values[:] = 128
    with pytest.raises(InputError, match="has no live trace"):
        in_array(tmp_path / "dead", values, "u1").section("inline", 0)


@pytest.mark.parametrize("added", [0, 3, 60])
@pytest.mark.parametrize(("number", "code"), [(3, "i2"), (5, "f4"), (1, "f8")])
def test_signed_amplitudes_are_never_shifted(
    tmp_path: Path, number: int, code: str, added: int
) -> None:
    """Neither skew nor a constant nor mutes move them: IBM floats are signed as well."""
    values = skewed(100)
    values[:, FIRST:LAST] += added
    for survey in (
        in_segy(tmp_path / "a", values, number),
        in_array(tmp_path / "a", values, code),
    ):
        assert survey.zero == 0
        section = survey.section("inline", 1)
        expected = values[50:100].astype(np.float32)
        np.testing.assert_array_equal(section.amplitude, np.where(section.live, expected, 0))
        assert section.live[:, FIRST + 1 : LAST - 1].mean() > 0.99
