"""Whether a survey is like the crops that a model learned from, in words and figures."""

import math

from saltseg.seismic.windows import Spread, WindowStatistics

_SKEWED, _TAILS = 0.7, 3.0
"""Difference of skewness and ratio of kurtosis from which on amplitudes are unlike."""


def sample_scale(survey: WindowStatistics, crops: WindowStatistics) -> float:
    """Return how many samples to make of each one, so that wavelengths are those of the crops."""
    return crops.wavelength[1] / survey.wavelength[1]


def compare(survey: WindowStatistics, crops: WindowStatistics) -> list[str]:
    """Say in lines what of a survey is unlike the crops, and what to do; none: all is alike.

    A length is alike where the survey's median lies between the crops' 10th and 90th percentile.
    """
    lines = [_wavelength(survey, crops), _width(survey, crops), _dip(survey, crops)]
    lines += [_skewness(survey, crops), _kurtosis(survey, crops)]
    return [line for line in lines if line]


def _alike(survey: Spread, crops: Spread) -> bool:
    """Tell whether a median lies within a spread, which an unknown one (NaN) does."""
    return not (survey[1] < crops[0] or survey[1] > crops[2])


def _wavelength(survey: WindowStatistics, crops: WindowStatistics) -> str:
    if _alike(survey.wavelength, crops.wavelength):
        return ""
    scale = sample_scale(survey, crops)
    return (
        f"dominant wavelength is {survey.wavelength[1]:.1f} samples, the crops'"
        f" {_range(crops.wavelength, 1)}: resample by {scale:.2g} with --sample-scale {scale:.2g}"
    )


def _width(survey: WindowStatistics, crops: WindowStatistics) -> str:
    if _alike(survey.width, crops.width):
        return ""
    closer = "closer" if survey.width[1] > crops.width[1] else "farther apart"
    return (
        f"features are {survey.width[1]:.1f} traces wide, the crops' {_range(crops.width, 1)}:"
        f" traces lie {closer} than those that were learned from"
    )


def _dip(survey: WindowStatistics, crops: WindowStatistics) -> str:
    if _alike(survey.dip, crops.dip):
        return ""
    return (
        f"dips are {survey.dip[1]:.2f} samples a trace, the crops' {_range(crops.dip, 2)}: are the"
        " axes right, and the distances of traces and samples?"
    )


def _range(spread: Spread, digits: int) -> str:
    return f"{spread[0]:.{digits}f} to {spread[2]:.{digits}f}"


def _skewness(survey: WindowStatistics, crops: WindowStatistics) -> str:
    difference = survey.skewness - crops.skewness
    if not math.fabs(difference) > _SKEWED:
        return ""
    return (
        f"amplitudes are skewed ({survey.skewness:.1f}, the crops' {crops.skewness:.1f}): is it an"
        " envelope or another attribute, or in another --format?"
    )


def _kurtosis(survey: WindowStatistics, crops: WindowStatistics) -> str:
    ratio = survey.kurtosis / crops.kurtosis
    figures = f"(kurtosis {survey.kurtosis:.1f}, the crops' {crops.kurtosis:.1f})"
    if ratio > _TAILS:
        return f"few amplitudes are far larger than the others {figures}: spikes, or no gain"
    return f"amplitudes are cut off {figures}" if ratio < 1 / _TAILS else ""
