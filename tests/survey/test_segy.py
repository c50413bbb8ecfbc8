"""Whole sections as SEG-Y: what segyio reads back, and what says that it is missing."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.survey import write_sections
from saltseg.survey.sections import make_section

segyio = pytest.importorskip("segyio", reason="segyio has no wheel for this Python")

COUNT = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sections")
    write_sections(folder, seed=6, count=COUNT, segy=True)
    return folder


@pytest.mark.parametrize("name", ["amplitude", "salt"])
def test_segyio_reads_the_arrays_back(folder: Path, name: str) -> None:
    for number in range(COUNT):
        stem = folder / f"{number:04d}_{name}"
        expected = np.load(stem.with_suffix(".npy"))
        with segyio.open(str(stem.with_suffix(".sgy"))) as file:
            assert file.ilines.tolist() == [number]
            assert file.xlines.tolist() == list(range(expected.shape[1]))
            assert int(file.format) == segyio.SegySampleFormat.IEEE_FLOAT_4_BYTE
            np.testing.assert_array_equal(file.iline[number].T, expected)


def test_headers_say_where_the_section_lies(folder: Path) -> None:
    spacing = round(make_section(6, 1).setting.exaggeration, 2)
    tops = pd.read_csv(folder / "sections.csv")["top_depth"]
    with segyio.open(str(folder / "0001_amplitude.sgy")) as file:
        assert file.samples.tolist() == [tops[1] + row for row in range(540)]
        assert segyio.dt(file) == 1000
        field = segyio.TraceField
        xs, ys = (file.attributes(name)[:].tolist() for name in (field.CDP_X, field.CDP_Y))
        assert xs == [round(100 * spacing * column) for column in range(540)]
        assert set(ys) == {100_000}
        assert set(file.attributes(field.SourceGroupScalar)[:].tolist()) == {-100}
        assert file.bin[segyio.BinField.MeasurementSystem] == 2
        text = bytes(file.text[0]).decode("ascii")
    assert "SECTION 1 " in text
    assert f"FIRST SAMPLE AT {tops[1]} FT" in text
    assert len(text) == 40 * 80
    assert text[38 * 80 :].startswith("C39 SEG Y REV1")


def test_revision_is_where_the_standard_wants_it(folder: Path) -> None:
    content = (folder / "0000_salt.sgy").read_bytes()
    assert content[3500:3502] == b"\x01\x00"
    assert len(content) == 3600 + 540 * (240 + 4 * 540)


def test_the_same_bytes_again(folder: Path, tmp_path: Path) -> None:
    write_sections(tmp_path, seed=6, count=1, segy=True)
    for path in tmp_path.iterdir():
        if path.name != "sections.csv":
            assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


def test_missing_segyio_is_told_before_any_crop_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segyio", None)
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["survey", str(out), "--sections", "1", "--segy"])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "-m pip install segyio" in result.output
    assert not out.exists()


def test_segy_without_sections_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["survey", str(tmp_path / "out"), "--segy"])
    assert result.exit_code == 2
    assert "--sections" in result.output
