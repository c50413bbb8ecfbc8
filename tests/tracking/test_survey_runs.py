"""What MLflow keeps of a survey's prediction."""

from pathlib import Path
from typing import Any

import pytest

from saltseg.plumbing.errors import InputError
from saltseg.tracking.store import EXPERIMENT
from saltseg.tracking.survey_runs import SurveyRun, log_survey
from tests.tracking.conftest import client_of


def survey(model: dict[str, Any]) -> SurveyRun:
    record = {
        "survey": {"file": "a.sgy", "sha256": "1"},
        "prediction": {"file": "prediction.zarr", "sha256": "2"},
        "code": "sha256:3",
        "model": model,
        "options": {"domain": "depth", "interval": None},
        "choices": {"least": 3},
        "results": {"bodies": 2, "salt_m3": None, "sections": {"inline:7": {"iou": 0.5}}},
    }
    return SurveyRun("survey a.sgy", record, {"record.json": b"{}", "sections/a.png": b"png"})


def test_a_survey_is_a_run_below_its_models(checkout: Path) -> None:
    client = client_of(checkout)
    experiment = client.create_experiment(EXPERIMENT)
    parent = client.create_run(experiment).info.run_id
    run = client.get_run(log_survey(checkout, survey({"run": parent})))
    assert (run.info.experiment_id, run.info.status) == (experiment, "FINISHED")
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.data.tags["survey.sha256"] == "1"
    assert run.data.params["options.domain"] == "depth"
    assert run.data.metrics == {"bodies": 2, "sections.inline_7.iou": 0.5}
    artifacts = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert artifacts == {"record.json", "sections"}


@pytest.mark.parametrize("model", [{}, {"run": "0" * 32}])
def test_a_model_without_a_run_here_has_an_experiment_of_surveys(
    checkout: Path, model: dict[str, Any]
) -> None:
    client = client_of(checkout)
    run = client.get_run(log_survey(checkout, survey(model)))
    assert client.get_experiment(run.info.experiment_id).name == f"{EXPERIMENT}-surveys"
    assert "mlflow.parentRunId" not in run.data.tags


def test_what_cannot_be_asked_is_said(checkout: Path) -> None:
    (checkout / "mlruns" / "mlflow.db").write_bytes(b"no database at all")
    with pytest.raises(InputError, match="MLflow cannot be asked"):
        log_survey(checkout, survey({}))
