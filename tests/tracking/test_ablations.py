"""What MLflow keeps of an ablation; tests/pipeline has real ones."""

import subprocess
from pathlib import Path

import pytest
from mlflow.entities import Run

from saltseg.plumbing.errors import InputError
from saltseg.tracking.ablations import AblationRecord, log_ablation
from tests.tracking.conftest import client_of


@pytest.fixture
def project(checkout: Path) -> Path:
    """The checkout as a git repository, as an ablation needs it."""
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    return checkout


def logged(project: Path) -> list[Run]:
    """Return the runs of ablations."""
    client = client_of(project)
    place = client.get_experiment_by_name("saltseg-ablations")
    assert place is not None
    return list(client.search_runs([place.experiment_id]))


def test_an_ablation_that_cannot_be_logged_leaves_no_run(project: Path) -> None:
    (project / "mlruns/artifacts").write_text("no folder")
    with pytest.raises(InputError, match="the table is complete"):
        log_ablation(project, AblationRecord("ablate demo", "| |\n", {}, {}, {}))
    assert logged(project) == []


def test_a_run_whose_command_was_killed_is_ended_by_the_next_one(project: Path) -> None:
    record = AblationRecord("ablate demo", "| |\n", {}, {}, {})
    log_ablation(project, record)
    (left,) = logged(project)
    client = client_of(project)
    client.set_tag(left.info.run_id, "recorder.identity", "0")  # of a process that is gone
    client.update_run(left.info.run_id, status="RUNNING")
    log_ablation(project, record)
    assert {run.info.run_id == left.info.run_id: run.info.status for run in logged(project)} == {
        True: "KILLED",
        False: "FINISHED",
    }


def test_a_large_ablation_is_kept_whole(project: Path) -> None:
    params = {f"change.{number}": str(number) for number in range(101)}
    metrics = {f"difference.{number}": float(number) for number in range(1001)}
    log_ablation(project, AblationRecord("ablate demo", "| |\n", {"rows": []}, params, metrics))
    (run,) = logged(project)
    assert (run.info.run_name, run.info.status) == ("ablate demo", "FINISHED")
    assert run.data.params == params
    assert run.data.metrics == metrics
    assert run.data.tags["mlflow.note.content"] == "| |\n"
