"""The page on recorded runs: each run's own report, or what its record holds."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.reports.run_facts import recorded_facts
from saltseg.reports.run_report import read_report
from saltseg.reproduction.run_pages import runs_page
from saltseg.tracking.run_content import log_files
from saltseg.tracking.run_report import REPORT, complete_facts, recorded_page
from tests.helpers.records import record_run

SCORE = {"score": 0.5, "score_low": 0.4, "score_high": 0.6}


def test_a_run_has_its_report_and_a_commit_what_is_known(repository: Path) -> None:
    run = record_run(repository)
    client = MlflowClient(f"sqlite:///{repository}/mlruns/mlflow.db")
    facts = recorded_facts({"score": SCORE}, {"base": {"seed": 3}, "runtime": {"workers": 2}})
    known = complete_facts(facts, "brave-fox", {"python": "3.11.7"}, {"ingest": 1.5})
    log_files(client, run, {REPORT: recorded_page(known)}, "")
    assert client.list_artifacts(run)[0].path == "Report", "the first of the list"
    first, second = read_report(runs_page([run[:9], "HEAD"], repository))
    assert first == known | {"name": f"run {run[:12]}"}
    assert first["params"] == {"base.seed": "3"}
    assert second["score"] == {} and "seconds" not in second and "environment" not in second
    assert second["params"]["train_per_fold.members"] == '["lite0"]'


def test_a_run_without_a_report_has_its_environment(repository: Path) -> None:
    run = record_run(repository)
    (found,) = read_report(runs_page([run], repository))
    assert found["environment"] == {"python": "3.11.7"} and "gallery" not in found


def test_the_command_replaces_only_what_it_wrote(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    page = repository / "mine.html"
    assert CliRunner().invoke(app, ["report", "HEAD", "--out", "mine.html"]).exit_code == 0
    first = page.read_bytes()
    done = CliRunner().invoke(app, ["report", "HEAD", "--out", "mine.html"])
    assert done.exit_code == 1 and "--force" in done.output
    done = CliRunner().invoke(app, ["report", "HEAD", "--out", "mine.html", "--force"])
    assert done.exit_code == 0 and page.read_bytes() == first
    page.write_text("a person's own")
    done = CliRunner().invoke(app, ["report", "HEAD", "--out", "mine.html", "--force"])
    assert done.exit_code == 1 and page.read_text() == "a person's own"
