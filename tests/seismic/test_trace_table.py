"""Trace headers as columns, and as they are kept beside the results."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saltseg.seismic import trace_table
from saltseg.seismic.columns import ColumnBuilder
from saltseg.seismic.options import SurveyOptions
from saltseg.seismic.segy import open_segy
from saltseg.seismic.trace_table import CACHE_NAME
from tests.seismic.conftest import CROSSLINES, INLINES, small
from tests.seismic.segy_writer import grid_headers

Values = list[int]


@given(
    st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(0, 300), min_size=1), st.integers(1, 9)
)
def test_columns_give_back_what_they_were_given(values: Values, block: int) -> None:
    builder = ColumnBuilder(block)
    for start in range(0, len(values), block):
        builder.append(np.array(values[start : start + block]))
    column = builder.column()
    assert column.values().tolist() == values
    assert column.constant == (len(set(values)) == 1)
    assert column.is_whole()


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often a file's headers are read."""
    counted: list[int] = []
    scan = trace_table._scan

    def counting(*arguments: object) -> object:
        counted.append(1)
        return scan(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trace_table, "_scan", counting)
    return counted


def test_headers_are_read_once(tmp_path: Path, scans: list[int]) -> None:
    path = small().write(tmp_path / "survey.sgy")
    for _ in range(3):
        survey = open_segy(path, SurveyOptions(), tmp_path / "out")
        assert survey.grid.inlines.tolist() == INLINES
    assert len(scans) == 1
    first = (tmp_path / "out" / CACHE_NAME).read_bytes()
    (tmp_path / "out" / CACHE_NAME).unlink()
    open_segy(path, SurveyOptions(), tmp_path / "out")
    assert (tmp_path / "out" / CACHE_NAME).read_bytes() == first
    assert [path.name for path in (tmp_path / "out").iterdir()] == [CACHE_NAME]


def touched(path: Path, kept: Path) -> None:
    os.utime(path, ns=(1, 1))


def rewritten(path: Path, kept: Path) -> None:
    modified = path.stat().st_mtime_ns
    headers = grid_headers([n + 1 for n in INLINES], CROSSLINES)
    small(headers=headers).write(path)
    os.utime(path, ns=(modified, modified))


def cut(path: Path, kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-200])


def emptied(path: Path, kept: Path) -> None:
    kept.write_bytes(b"")


def replaced(path: Path, kept: Path) -> None:
    np.savez(kept, key=np.array("another"))


@pytest.mark.parametrize("change", [touched, rewritten, cut, emptied, replaced])
def test_what_is_stale_or_damaged_is_read_again(
    tmp_path: Path, scans: list[int], change: Callable[[Path, Path], None]
) -> None:
    path = small().write(tmp_path / "survey.sgy")
    open_segy(path, SurveyOptions(), tmp_path)
    change(path, tmp_path / CACHE_NAME)
    again = open_segy(path, SurveyOptions(), tmp_path)
    assert len(scans) == 2
    plain = open_segy(path, SurveyOptions())
    np.testing.assert_array_equal(again.grid.inlines, plain.grid.inlines)
    np.testing.assert_array_equal(again.grid.traces, plain.grid.traces)


def test_a_flipped_byte_never_changes_a_grid(tmp_path: Path) -> None:
    path = small().write(tmp_path / "survey.sgy")
    expected = open_segy(path, SurveyOptions(), tmp_path).grid
    kept = (tmp_path / CACHE_NAME).read_bytes()
    for place in range(0, len(kept), 499):
        damaged = bytearray(kept)
        damaged[place] ^= 0x55
        (tmp_path / CACHE_NAME).write_bytes(damaged)
        found = open_segy(path, SurveyOptions(), tmp_path).grid
        np.testing.assert_array_equal(found.traces, expected.traces)
        np.testing.assert_array_equal(found.inlines, expected.inlines)


def test_the_table_of_another_byte_order_or_field_is_not_taken(
    tmp_path: Path, scans: list[int]
) -> None:
    path = small(headers=grid_headers(INLINES, CROSSLINES, 233, 41)).write(tmp_path / "survey.sgy")
    for options in ((233, 41), (233, 41), (41, 233)):
        open_segy(path, SurveyOptions(*options), tmp_path)
    assert len(scans) == 1  # the fields are the same, whatever they are called
    open_segy(path, SurveyOptions(233, 45, x_byte=41), tmp_path)
    assert len(scans) == 2
