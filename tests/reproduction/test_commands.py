"""What the commands say to a person who asks for the impossible."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from saltseg.cli import app


def test_a_part_and_the_cache_exclude_each_other() -> None:
    done = CliRunner().invoke(app, ["reproduce", "HEAD", "--from", "submit", "--cached"])
    assert done.exit_code == 2
    assert "--from forces stages to run" in done.output


@pytest.mark.parametrize(
    "command",
    [
        ("reproduce", "x"),
        ("verify", "x"),
        ("diff", "x", "y"),
        ("recipe",),
        ("recipe", "demo"),
        ("train",),
    ],
)
def test_outside_of_a_project_one_line_says_so(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, list(command))
    assert done.exit_code == 1
    assert (
        done.output == f"saltseg: {tmp_path}: has no dvc.yaml; run this in the project's folder\n"
    )
