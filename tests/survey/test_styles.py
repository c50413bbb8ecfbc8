"""Named styles: the default is as it was, the wide one reaches what its ranges promise."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.cli.surveys import StyleName
from saltseg.survey import generate
from saltseg.survey.ranges import RANGES
from saltseg.survey.sections import make_section
from saltseg.survey.style import BLOCK, SECTIONS_PER_SURVEY, draw_setting, draw_style

SEED = 4
SURVEYS = range(8 * BLOCK)


@pytest.mark.parametrize("name", list(RANGES))
def test_styles_stay_within_their_ranges_and_reach_both_ends(name: str) -> None:
    ranges = RANGES[name]
    styles = [draw_style(SEED, survey, name) for survey in SURVEYS]
    for least_and_largest, values in [
        (ranges.sampling, [style.sampling for style in styles]),
        (ranges.noise, [style.noise_level for style in styles]),
        (ranges.salt_contrast, [style.salt_contrast for style in styles]),
    ]:
        low, high = least_and_largest
        assert low <= min(values) <= low * 1.2
        assert high / 1.2 <= max(values) <= high * 1.0001
    assert np.mean([style.polarity > 0 for style in styles]) == pytest.approx(
        ranges.positive, abs=0.2
    )
    assert np.mean([style.top_mute for style in styles]) == pytest.approx(ranges.muted, abs=0.2)


def test_eight_surveys_show_the_whole_range_of_samplings() -> None:
    samplings = sorted(draw_style(SEED, survey, "wide").sampling for survey in range(BLOCK))
    steps = np.log(samplings) / np.log(4)
    assert np.floor((steps + 1) * BLOCK / 2).tolist() == list(range(BLOCK))


def test_finer_sampling_stretches_wavelets_and_structures() -> None:
    for number in range(0, 8 * SECTIONS_PER_SURVEY, SECTIONS_PER_SURVEY):
        setting = draw_setting(SEED, number, "wide")
        assert 0.75 <= setting.scale / setting.style.sampling <= 2.1
        assert 0.009 < setting.peak_frequency <= 0.3


def test_muted_samples_are_zero_and_no_salt() -> None:
    survey = next(s for s in SURVEYS if draw_style(SEED, s, "wide").top_mute)
    section = make_section(SEED, SECTIONS_PER_SURVEY * survey, "wide")
    muted = section.amplitude == 0
    assert muted.mean() > 0.01
    assert not section.salt[muted].any()
    assert section.amplitude[-3:].all()


def test_a_wide_section_is_the_same_again() -> None:
    first, second = (make_section(SEED, 9, "wide") for _ in range(2))
    np.testing.assert_array_equal(first.amplitude, second.amplitude)
    np.testing.assert_array_equal(first.salt, second.salt)
    assert not np.array_equal(first.amplitude, make_section(SEED, 9).amplitude)


def test_crops_are_cut_from_the_named_style() -> None:
    wide, usual = (generate(2, 1, SEED, 0, style).crops for style in ("wide", "default"))
    assert not np.array_equal(wide.train_images, usual.train_images)


def test_an_unknown_style_is_wrong_usage(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["survey", str(out), "--style", "broad"])
    assert result.exit_code == 2
    assert "'broad' is not one of 'default'" in result.output
    assert not out.exists()


def test_the_command_knows_all_styles() -> None:
    assert get_args(StyleName) == tuple(RANGES)
