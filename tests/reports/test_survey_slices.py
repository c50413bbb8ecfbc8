"""The axes of slices through surveys whose lines are not evenly numbered."""

from pathlib import Path

import numpy as np

from saltseg.reports.figures import empty_figure
from saltseg.reports.section_axes import label_axes
from saltseg.reports.survey_sections import SectionName, section_axes
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.segy import open_segy
from tests.seismic.conftest import CROSSLINES, small
from tests.seismic.segy_writer import grid_headers

INLINES = [100, 101, 102, 110, 150, 200]


def test_rows_of_a_slice_are_labelled_by_their_inlines(tmp_path: Path) -> None:
    path = small(headers=grid_headers(INLINES, CROSSLINES)).write(tmp_path / "a.sgy")
    with open_segy(path, SurveyOptions()) as survey:
        named = section_axes(survey, SectionName("sample", 28))
    axes = empty_figure(400, 400).add_axes((0, 0, 1, 1))
    axes.imshow(np.zeros((6, 5)), extent=named.extent((6, 5)))
    label_axes(axes, named)
    for axis, numbers in ((axes.yaxis, INLINES), (axes.xaxis, CROSSLINES)):
        shown = {at: axis.get_major_formatter()(at, None) for at in axis.get_ticklocs()}
        for at in range(len(numbers)):
            assert shown[at] == str(numbers[at])
        assert {label for at, label in shown.items() if not 0 <= at < len(numbers)} <= {""}
    assert axes.get_ylim() == (5.5, -0.5)  # the first inline is at the top


def test_rows_of_a_section_stay_times(tmp_path: Path) -> None:
    with open_segy(small(common={109: 40}).write(tmp_path / "a.sgy"), SurveyOptions()) as survey:
        named = section_axes(survey, SectionName("inline", 104))
    assert named.rows is None
    assert named.extent((40, 5)) == (-0.5, 4.5, 198, 38)
