"""A small survey in SEG-Y, to change and to break."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.segy import SegySurvey, open_segy
from tests.seismic.segy_writer import Segy, grid_headers, volume

INLINES, CROSSLINES = list(range(100, 112, 2)), list(range(300, 305))

Opener = Callable[..., SegySurvey]


def small(**changes: object) -> Segy:
    """Return a 3D survey of 6 x 5 traces of 40 samples, with what is changed in it."""
    samples = volume(len(INLINES), len(CROSSLINES)).reshape(-1, 40)
    kept = {"samples": samples, "headers": grid_headers(INLINES, CROSSLINES)}
    return Segy(**kept | changes)  # type: ignore[arg-type]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """Write a file and open it, with options by name."""

    def write_and_open(segy: Segy, **options: object) -> SegySurvey:
        return open_segy(segy.write(tmp_path / "survey.sgy"), SurveyOptions(**options))  # type: ignore[arg-type]

    return write_and_open
