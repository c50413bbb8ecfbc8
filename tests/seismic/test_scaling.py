from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saltseg.plumbing.errors import InputError
from saltseg.seismic.array_file import open_array
from saltseg.seismic.choices import ScaleOf, SurveyChoices
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.resampling import brought_back, resampled, sample_fraction
from saltseg.seismic.scaling import grey, measure_scale
from saltseg.seismic.survey import Survey


def survey_of(values: np.ndarray, folder: Path) -> Survey:
    np.save(folder / "line.npy", values)
    return open_array(folder / "line.npy", SurveyOptions(axes="trace,sample"))


def test_neither_a_spike_nor_nulls_count_in_the_scale(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(300, 200)).astype(np.float32)
    plain = measure_scale(survey_of(values, tmp_path), ScaleOf.SURVEY, 0.5, None).level
    assert plain == pytest.approx(2.81, abs=0.05)  # the 99.5th percentile of |normal|
    values[7, 100], values[20:60] = 1e5, -999.25
    found = measure_scale(survey_of(values, tmp_path), ScaleOf.SURVEY, 0.5, None)
    assert found.level == pytest.approx(plain, rel=0.03)
    shown = grey(found.gained(np.array([[0, 1e5, -1e5]], np.float32)))
    assert shown.tolist() == [[128, 255, 0]]


def test_a_gain_evens_out_what_falls_with_depth(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(300, 400)) * np.geomspace(1, 0.1, 400)
    survey = survey_of(values.astype(np.float32), tmp_path)
    found = measure_scale(survey, ScaleOf.SURVEY, 0.5, 40)
    shown = found.gained(values.astype(np.float32))
    assert shown[:, :50].std() == pytest.approx(shown[:, -50:].std(), rel=0.15)
    again = measure_scale(survey, ScaleOf.SURVEY, 0.5, 40)
    assert found.gain is not None and again.gain is not None
    np.testing.assert_array_equal(found.gain, again.gain)


@pytest.mark.parametrize(
    "wrong",
    [{"clip": -1}, {"clip": 50}, {"clip": float("nan")}, {"gain": 0}, {"tile": 9}, {"tile": 9999}],
)
def test_values_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"--{next(iter(wrong))}: "):
        SurveyChoices(**wrong)


@pytest.mark.parametrize("scale", ["1/2", "1", "2", "21/10"])
def test_samples_come_back_where_they_were(scale: str) -> None:
    fraction = Fraction(scale)
    trace = np.sin(np.arange(400) / 15)[None].astype(np.float32)
    made = resampled(trace, fraction)
    assert made.shape == (1, -(-400 * fraction.numerator // fraction.denominator))
    back = brought_back(made, fraction, 400)
    assert back.shape == trace.shape
    np.testing.assert_allclose(back[:, 20:-20], trace[:, 20:-20], atol=0.02)


def test_scales_are_fractions_of_small_numbers() -> None:
    assert sample_fraction(2.1) == Fraction(21, 10)
    for wrong in (0, -1, 17, float("nan")):
        with pytest.raises(InputError, match="--sample-scale"):
            sample_fraction(wrong)
