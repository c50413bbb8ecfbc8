"""The plan of the GPU measurement and its report; `--device cpu --small` runs the rest."""

import json
import time
from pathlib import Path

import pytest

from benchmarks.gpu import report
from benchmarks.gpu.fold import fitting_epochs, known_rate
from benchmarks.gpu.plan import ENDING, SHARES, Outcome, allotted, run_part
from benchmarks.gpu.report import keep_limits, write_report
from benchmarks.gpu.settings import Settings, read_rows

BUDGET = 720.0


def settings_of(folder: Path) -> Settings:
    return Settings(str(folder), "cpu", True, time.time() + 60)


def test_parts_that_take_their_share_end_in_time() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    spent = 0.0
    for part in SHARES:
        seconds = allotted(part, BUDGET, spent)
        assert seconds == pytest.approx(SHARES[part] * (BUDGET - ENDING))
        spent += seconds
    assert spent == pytest.approx(BUDGET - ENDING)


def test_what_a_part_leaves_goes_to_the_next() -> None:
    assert allotted("fold", BUDGET, 100) == pytest.approx(BUDGET - ENDING - 100)
    assert allotted("throughput", BUDGET, 0) > SHARES["throughput"] * BUDGET
    assert allotted("compiled", BUDGET, BUDGET) == 0


def test_a_part_that_fails_is_told_with_its_last_line_and_its_rows(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    settings.record("steps", {"network": "first"})
    outcome = run_part("no_such_part", settings, 120)
    assert outcome.ended.startswith("failed with exit code 1: ModuleNotFoundError")
    assert "no_such_part" in outcome.ended
    assert run_part("steps", settings, 0).ended == "left out: no time"
    assert read_rows(settings.path("steps")) == [{"network": "first"}]


def test_the_report_says_how_each_part_ended_and_what_it_found(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    settings.record("steps", {"network": "gpu", "seconds": 0.25, "finite": True})
    settings.record("steps", {"network": "best", "failed": "OutOfMemoryError: 3 | 4"})
    with settings.path("steps").open("a") as file:
        file.write('{"network": "cut sho')
    outcomes = [Outcome("steps", "done", 3.0), Outcome("throughput", "killed after 9 s", 19.0)]
    write_report(tmp_path, outcomes, "a card")
    page = (tmp_path / "report.md").read_text()
    assert "| network | seconds | finite | failed |" in page
    assert "| gpu | 0.25 | True |  |" in page
    assert "OutOfMemoryError: 3 / 4" in page and "killed after 9 s, 19 s" in page
    content = json.loads((tmp_path / "results.json").read_text())
    assert [each["network"] for each in content["rows"]["steps"]] == ["gpu", "best"]
    assert content["parts"][1]["ended"] == "killed after 9 s"


def test_files_keep_their_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "LARGEST", 100)
    monkeypatch.setattr(report, "TOGETHER", 250)
    (tmp_path / "fold").mkdir()
    for name, size in (("fold/a", 101), ("b", 100), ("c", 90), ("d", 80), ("e", 10)):
        (tmp_path / name).write_bytes(bytes(size))
    assert keep_limits(tmp_path) == ["fold/a (101 bytes)", "b (100 bytes)"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["c", "d", "e"]


def test_the_fold_gets_the_epochs_that_fit(tmp_path: Path) -> None:
    assert fitting_epochs(1e6, 3200, 1000) == (8, 14)
    assert fitting_epochs(100, 3200, 1000) == (3, 6)
    first, each = fitting_epochs(100, 3200, 1000)
    assert (first + 4 * each) * 3200 <= 100 * 1000
    assert fitting_epochs(1, 3200, 10) == (1, 1)
    settings = settings_of(tmp_path)
    assert known_rate(settings.path("throughput")) == 500
    for row in (
        {"what": "training", "jobs": 1, "crops_per_second": 2000.0},
        {"what": "training", "jobs": 4, "crops_per_second": 5000.0},
        {"what": "augmentation", "crops_per_second": 700.0},
        {"what": "augmentation", "crops_per_second": 1500.0},
    ):
        settings.record("throughput", row)
    assert known_rate(settings.path("throughput")) == 1500
