"""`saltseg survey` writes what it says."""

from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.survey.sections import make_section


def test_survey_command(tmp_path: Path) -> None:
    counts = ["--train", "12", "--test", "1", "--sections", "1", "--workers", "0"]
    result = CliRunner().invoke(app, ["survey", str(tmp_path / "out"), "--seed", "6", *counts])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "train.zip").is_file()
    amplitude = np.load(tmp_path / "out" / "sections" / "0000_amplitude.npy")
    salt = np.load(tmp_path / "out" / "sections" / "0000_salt.npy")
    section = make_section(6, 0)
    np.testing.assert_array_equal(amplitude, section.amplitude)
    np.testing.assert_array_equal(salt, section.salt)


def test_a_folder_that_cannot_be_written_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = str(tmp_path / "file" / "out")
    result = CliRunner().invoke(
        app, ["survey", out, "--train", "1", "--test", "1", "--workers", "0"]
    )
    assert result.exit_code == 1
    assert out in result.output
    assert "cannot be written" in result.output
