"""Benchmarks explain themselves before they do anything."""

import runpy
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

CHILDREN = {"peer_prediction"}
"""Started by other benchmarks, in an environment of their own."""


def test_each_benchmark_reads_its_command_line() -> None:
    started = {
        path.stem: path.read_text()
        for path in (PROJECT / "benchmarks").glob("*.py")
        if "__main__" in path.read_text()
    }
    assert len(started) > 15
    assert {name for name, text in started.items() if "parse_args()" not in text} == CHILDREN


@pytest.mark.parametrize(
    "name", ["crop_statistics", "least_bodies", "threshold_choices", "tracking_figures"]
)
def test_help_measures_and_writes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as left:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")
    assert not list(tmp_path.iterdir())
