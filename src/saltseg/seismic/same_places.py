"""Whether what another file says of a survey, a mask or a truth, lies at the survey's places."""

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.seismic.array_file import ArraySurvey
from saltseg.seismic.survey import Survey

_APART = 0.01
"""Share of a sample by which the other's samples may lie beside the survey's."""


def check_sampling(other: Survey, survey: Survey, advice: str) -> None:
    """Raise InputError where another file's samples are not at the survey's times or depths.

    advice: what to do then. Where either is an array, which knows no times, their number is asked.
    """
    if other.kind != survey.kind:
        raise InputError(
            f"{other.path}: is {other.kind}, and {survey.path.name} is {survey.kind}; {advice}"
        )
    has, wanted = other.sampling, survey.sampling
    apart = np.inf if _by_place(other, survey) else _APART * wanted.interval
    if (
        has.count != wanted.count
        or abs(has.first - wanted.first) > apart
        or abs(has.last() - wanted.last()) > apart
    ):
        raise InputError(
            f"{other.path}: has {has.count:,} samples from {has.first:g} to {has.last():g}, and"
            f" {survey.path.name} has {wanted.count:,} from {wanted.first:g} to"
            f" {wanted.last():g}; {advice}"
        )


def check_lines(other: Survey, survey: Survey, advice: str) -> None:
    """Raise InputError where another file's lines have other numbers than the survey's.

    advice: what to do then. Where either is an array, which numbers from 0, only as many are asked.
    """
    for name in ("inlines", "crosslines"):
        has, wanted = (getattr(each.grid, name) for each in (other, survey))
        alike = len(has) == len(wanted) if _by_place(other, survey) else np.array_equal(has, wanted)
        if not alike:
            raise InputError(
                f"{other.path}: has {len(has):,} {name} from {has[0]:,} to {has[-1]:,}, and"
                f" {survey.path.name} has {len(wanted):,} from {wanted[0]:,} to {wanted[-1]:,};"
                f" {advice}"
            )


def _by_place(other: Survey, survey: Survey) -> bool:
    return isinstance(other, ArraySurvey) or isinstance(survey, ArraySurvey)
