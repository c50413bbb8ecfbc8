"""Whether a survey is like the crops that a model learned from, in words and figures."""

import math

from saltseg.seismic.windows import WindowStatistics

ALIKE = 1.25
"""Ratio up to which wavelengths are alike: the measured loss begins beyond it."""
_SKEWED, _TAILS, _STEEPER = 0.7, 3.0, 2.0


def sample_scale(survey: WindowStatistics, crops: WindowStatistics) -> float:
    """Return by what a survey's samples are to be resampled: above 1, to more samples."""
    return crops.wavelength / survey.wavelength


def compare(survey: WindowStatistics, crops: WindowStatistics) -> list[str]:
    """Say in lines what of a survey is unlike the crops, and what to do; none: all is alike."""
    return [
        line
        for line in (
            _wavelength(survey, crops),
            _width(survey, crops),
            _dip(survey, crops),
            _skewness(survey, crops),
            _kurtosis(survey, crops),
        )
        if line
    ]


def _wavelength(survey: WindowStatistics, crops: WindowStatistics) -> str:
    scale = sample_scale(survey, crops)
    if not math.isfinite(scale) or 1 / ALIKE <= scale <= ALIKE:
        return ""
    return (
        f"dominant wavelength is {survey.wavelength:.1f} samples, the crops'"
        f" {crops.wavelength:.1f}: resample by {scale:.2g} with --sample-scale {scale:.2g}"
    )


def _width(survey: WindowStatistics, crops: WindowStatistics) -> str:
    ratio = crops.width / survey.width
    if not math.isfinite(ratio) or 0.5 <= ratio <= 2:
        return ""
    return (
        f"features are {survey.width:.1f} traces wide, the crops' {crops.width:.1f}: traces lie"
        f" {'closer' if ratio < 1 else 'farther'} than those that were learned from"
    )


def _dip(survey: WindowStatistics, crops: WindowStatistics) -> str:
    ratio = survey.dip / crops.dip if crops.dip else math.nan
    if not math.isfinite(ratio) or 1 / _STEEPER <= ratio <= _STEEPER:
        return ""
    return (
        f"dips are {survey.dip:.2f} samples a trace, the crops' {crops.dip:.2f}: look whether the"
        " axes are right and how far traces and samples lie apart"
    )


def _skewness(survey: WindowStatistics, crops: WindowStatistics) -> str:
    if abs(survey.skewness - crops.skewness) <= _SKEWED:
        return ""
    return (
        f"amplitudes are skewed ({survey.skewness:.1f}, the crops {crops.skewness:.1f}): is it an"
        " envelope or another attribute, or in another --format?"
    )


def _kurtosis(survey: WindowStatistics, crops: WindowStatistics) -> str:
    ratio = survey.kurtosis / crops.kurtosis
    if 1 / _TAILS <= ratio <= _TAILS:
        return ""
    if ratio < 1:
        return (
            f"amplitudes are cut off (kurtosis {survey.kurtosis:.1f}, crops {crops.kurtosis:.1f})"
        )
    return (
        f"few amplitudes are much larger than the others (kurtosis {survey.kurtosis:.1f}, crops"
        f" {crops.kurtosis:.1f}): spikes, or gain is missing"
    )
