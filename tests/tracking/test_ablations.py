"""What MLflow keeps of an ablation; tests/pipeline has real ones."""

from pathlib import Path

from saltseg.tracking.ablations import AblationRecord, log_ablation
from tests.tracking.conftest import client_of


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
