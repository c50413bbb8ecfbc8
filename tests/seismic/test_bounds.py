"""Large files, and files with damage anywhere: bounded memory, right values or one line."""

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import psutil
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saltseg.plumbing.errors import InputError
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.segy import open_segy
from tests.seismic.conftest import CROSSLINES, INLINES, small
from tests.seismic.segy_writer import grid_headers, trace_header, volume

SAMPLES, SIDE = 65_000, 92
LARGE = 240 + 4 * SAMPLES


def test_a_file_of_two_gigabytes_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.sgy"
    head = small(samples=np.ones((1, SAMPLES)), headers=[{}]).content()[:3600]
    with path.open("wb") as file:  # its samples are holes
        file.write(head)
        for number, header in enumerate(grid_headers(range(SIDE), range(SIDE))):
            file.seek(3600 + number * LARGE)
            file.write(trace_header(header | {115: SAMPLES, 117: 4000}, ">"))
        file.seek(3600 + 17 * LARGE + 240)
        file.write(np.arange(1, 1 + SAMPLES, dtype=">f4").tobytes())
        file.truncate(3600 + SIDE * SIDE * LARGE)
    assert path.stat().st_size > 2.2e9
    before = psutil.Process().memory_info().rss
    tracemalloc.start()
    with open_segy(path, SurveyOptions()) as survey:
        section = survey.section("inline", 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert section.amplitude.shape == (SIDE, SAMPLES)
    assert np.flatnonzero(section.live.any(axis=1)).tolist() == [17]
    assert section.amplitude[17, -1] == SAMPLES
    assert peak < 300e6
    assert psutil.Process().memory_info().rss - before < 300e6


CONTENT = small().content()
EXPECTED = volume(len(INLINES), len(CROSSLINES))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    flips=st.lists(
        st.tuples(
            st.one_of(
                st.integers(3200, 3599),  # binary header
                st.sampled_from([3216, 3217, 3220, 3221, 3224, 3225, 3500, 3501, 3504, 3505, 3506]),
                st.integers(3600, len(CONTENT) - 1),
                st.builds(
                    lambda trace, byte: 3600 + trace * 400 + byte,
                    st.integers(0, 29),
                    st.integers(0, 239),
                ),
            ),
            st.integers(1, 255),
        ),
        max_size=12,
    ),
    length=st.one_of(st.just(len(CONTENT)), st.integers(0, len(CONTENT))),
    revision=st.sampled_from([0, 1, 2]),
    whole=st.booleans(),
)
def test_damage_anywhere_is_one_line_or_a_survey(
    flips: list[tuple[int, int]], length: int, revision: int, whole: bool
) -> None:
    content = bytearray(CONTENT)
    content[3500] = revision
    for place, change in flips:
        content[place] ^= change
    with tempfile.NamedTemporaryFile(suffix=".sgy") as file:
        file.write(content[:length])
        file.flush()
        tracemalloc.start()
        try:
            with open_segy(Path(file.name), SurveyOptions(whole_traces=whole)) as survey:
                for axis in survey.grid.axes:
                    section = survey.section(axis, int(survey.grid.numbers(axis)[-1]))
                    assert np.isfinite(section.amplitude).all()
                    assert not section.amplitude[~section.live].any()
                    if not flips and length == len(CONTENT) and axis == "inline":
                        np.testing.assert_array_equal(section.amplitude, EXPECTED[-1])
        except InputError as error:
            assert "\n" not in str(error)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 20e6
