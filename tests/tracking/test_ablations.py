"""What MLflow keeps of an ablation; tests/pipeline has real ones."""

from pathlib import Path

import pytest

from saltseg.tracking.ablations import AblationRecord, log_ablation
from tests.tracking.conftest import client_of


def test_an_ablation_that_cannot_be_logged_leaves_no_run(checkout: Path) -> None:
    (checkout / "mlruns/artifacts").write_text("no folder")
    with pytest.raises(OSError):
        log_ablation(checkout, AblationRecord("ablate demo", "| |\n", {}, {}, {}))
    client = client_of(checkout)
    place = client.get_experiment_by_name("saltseg-ablations")
    assert place is not None
    assert client.search_runs([place.experiment_id]) == []


def test_a_run_whose_command_was_killed_is_ended_by_the_next_one(checkout: Path) -> None:
    record = AblationRecord("ablate demo", "| |\n", {}, {}, {})
    log_ablation(checkout, record)
    client = client_of(checkout)
    place = client.get_experiment_by_name("saltseg-ablations")
    assert place is not None
    (left,) = client.search_runs([place.experiment_id])
    client.set_tag(left.info.run_id, "recorder.created", "0.0")  # of a process that is gone
    client.update_run(left.info.run_id, status="RUNNING")
    log_ablation(checkout, record)
    found = client.search_runs([place.experiment_id])
    assert {run.info.run_id == left.info.run_id: run.info.status for run in found} == {
        True: "KILLED",
        False: "FINISHED",
    }


def test_a_large_ablation_is_kept_whole(checkout: Path) -> None:
    params = {f"change.{number}": str(number) for number in range(101)}
    metrics = {f"difference.{number}": float(number) for number in range(1001)}
    log_ablation(checkout, AblationRecord("ablate demo", "| |\n", {"rows": []}, params, metrics))
    client = client_of(checkout)
    place = client.get_experiment_by_name("saltseg-ablations")
    assert place is not None
    (run,) = client.search_runs([place.experiment_id])
    assert (run.info.run_name, run.info.status) == ("ablate demo", "FINISHED")
    assert run.data.params == params
    assert run.data.metrics == metrics
    assert run.data.tags["mlflow.note.content"] == "| |\n"
