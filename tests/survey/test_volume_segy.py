"""A volume as SEG-Y: what segyio reads back, and headers that tell the truth."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from saltseg.cli import app

segyio = pytest.importorskip("segyio", reason="segyio has no wheel for this Python")

SIZE = (3, 102, 110)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("volume")
    size = "x".join(map(str, SIZE))
    command = ["survey", str(folder), "--volume", size, "--segy", "--seed", "3", "--workers", "1"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return folder


@pytest.mark.parametrize("name", ["amplitude", "salt"])
def test_segyio_reads_the_cube_back(folder: Path, name: str) -> None:
    expected = np.load(folder / f"{name}.npy")
    assert expected.shape == SIZE
    with segyio.open(str(folder / f"{name}.sgy")) as file:
        assert file.ilines.tolist() == [1001, 1002, 1003]
        assert file.xlines.tolist() == list(range(2001, 2103))
        assert int(file.format) == segyio.SegySampleFormat.IEEE_FLOAT_4_BYTE
        np.testing.assert_array_equal(segyio.tools.cube(file), expected.astype(np.float32))


def test_coordinates_are_square_bins_on_a_turned_grid(folder: Path) -> None:
    with segyio.open(str(folder / "amplitude.sgy")) as file:
        field = segyio.TraceField
        names = (field.CDP_X, field.CDP_Y)
        x, y = (file.attributes(name)[:].reshape(SIZE[:2]) / 100 for name in names)
        assert set(file.attributes(field.SourceGroupScalar)[:].tolist()) == {-100}
        text = bytes(file.text[0]).decode("ascii")
        top = int(file.samples[0])
        assert segyio.dt(file) == 1000
    along = np.hypot(x[0, -1] - x[0, 0], y[0, -1] - y[0, 0]) / (SIZE[1] - 1)
    across = np.hypot(x[-1, 0] - x[0, 0], y[-1, 0] - y[0, 0]) / (SIZE[0] - 1)
    assert along == pytest.approx(across, abs=0.01)
    assert np.degrees(np.arctan2(x[0, -1] - x[0, 0], y[0, -1] - y[0, 0])) == pytest.approx(30, 0.01)
    assert f"FIRST SAMPLE AT {top} FT" in text
    assert "INLINE: BYTES 189-192, 1001 TO 1003" in text
    assert f"INLINE 1003 CROSSLINE 2102: X {x[-1, -1]:.2f} Y {y[-1, -1]:.2f}" in text
    assert "CONTENT: AMPLITUDE AS DISPLAYED" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--volume", "200x200"], "INLINESxCROSSLINESxSAMPLES"),
        (["--volume", "5x20x200"], "at least 1 inline and 101 crosslines"),
        (["--volume", "5x200x200", "--sections", "1"], "--sections"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], said: str) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["survey", str(out), *arguments], env={"COLUMNS": "400"})
    assert result.exit_code == 2
    assert said in result.output
    assert not out.exists()
