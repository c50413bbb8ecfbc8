"""The whole pipeline in real DVC repositories, on the shrunk parameters."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from saltseg.project.run_files import files_of_commit
from saltseg.reports.run_report import read_report
from saltseg.survey import SurveySet, write_kaggle_layout
from saltseg.tracking import wait_for_recorders
from saltseg.tracking.run_report import REPORT
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pipeline(
    twins: tuple[Checkout, Checkout], tmp_path_factory: pytest.TempPathFactory
) -> Checkout:
    """A checkout in which `dvc repro` has run once; tests leave it reproduced."""
    folder = tmp_path_factory.mktemp("pipeline") / "checkout"
    shutil.copytree(twins[0].root, folder, symlinks=True)
    checkout = Checkout(folder)
    checkout.commit("The results of the first run")
    return checkout


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def recorded_runs(checkout: Checkout) -> list[Run]:
    wait_for_recorders(checkout.root / "mlruns")
    client = MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db")
    (experiment,) = (each for each in client.search_experiments() if each.name != "Default")
    return list(client.search_runs([experiment.experiment_id]))


def record(checkout: Checkout, run: Run, name: str) -> bytes:
    client = MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db")
    return Path(client.download_artifacts(run.info.run_id, f"record/{name}")).read_bytes()


def test_it_leaves_a_submission_that_the_validator_accepts(pipeline: Checkout) -> None:
    folder = pipeline.root / "data/submit"
    pipeline.succeed(
        "saltseg", "check", str(folder / "submission.csv"),
        "--sample", str(folder / "sample_submission.csv"),
    )  # fmt: skip
    assert len(pd.read_csv(folder / "submission.csv")) == shrunk_content()["survey"]["test"]


def test_the_quoted_score_is_nested_and_has_an_interval(pipeline: Checkout) -> None:
    score = read_json(pipeline.root / "results/score.json")
    assert score["score_low"] <= score["score"] <= score["score_high"]
    threshold = read_json(pipeline.root / "results/threshold-search.json")
    low, high = (threshold[f"score_before_cleaning_{end}"] for end in ("low", "high"))
    assert low <= threshold["score_before_cleaning"] <= high
    assert "score_naive" in threshold and set(threshold["score_by_part"]) == {"0", "1"}


def test_nothing_runs_again_where_nothing_changed(pipeline: Checkout) -> None:
    assert "Running stage" not in pipeline.succeed("dvc", "repro")


def test_other_workers_and_folds_trained_side_by_side_make_the_same_bytes(
    twins: tuple[Checkout, Checkout],
) -> None:
    assert twins[0].outputs() == twins[1].outputs()


def test_every_stage_has_its_run_below_the_pipeline_s(pipeline: Checkout) -> None:
    runs = recorded_runs(pipeline)
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    names = {run.info.run_name for run in runs} - {parent.info.run_name}
    assert {"ingest", "train-per-fold class_unet 0", "train-per-fold class_unet 1"} <= names
    assert len(names) == 11
    assert {run.info.status for run in runs} == {"FINISHED"}
    score = read_json(pipeline.root / "results/score.json")
    shown = {name: value for name, value in parent.data.metrics.items() if "/" not in name}
    assert shown == score
    assert record(pipeline, parent, "dvc.lock") == (pipeline.root / "dvc.lock").read_bytes()


def test_the_run_s_first_artifact_is_its_report(pipeline: Checkout) -> None:
    runs = recorded_runs(pipeline)
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    client = MlflowClient(f"sqlite:///{pipeline.root}/mlruns/mlflow.db")
    first = client.list_artifacts(parent.info.run_id)[0].path
    assert first == REPORT.partition("/")[0]
    path = Path(client.download_artifacts(parent.info.run_id, REPORT))
    (recorded,) = read_report(path.read_text())
    (written,) = read_report((pipeline.root / "results/report.html").read_text())
    assert written.items() <= recorded.items()
    assert set(recorded["seconds"]) >= {"ingest", "train-per-fold class_unet 0", "submit"}
    assert "packages.numpy" in recorded["environment"]
    assert len(written["history"]) == 2
    assert recorded["name"] == parent.info.run_name


@pytest.mark.long
def test_a_page_on_runs_and_a_summary_are_made_from_the_records(pipeline: Checkout) -> None:
    (parent,) = (
        run for run in recorded_runs(pipeline) if "mlflow.parentRunId" not in run.data.tags
    )
    run = parent.info.run_id[:12]
    pipeline.succeed("saltseg", "report", run, "HEAD", "--out", "both.html")
    first, second = read_report((pipeline.root / "both.html").read_text())
    assert first["seconds"] and "seconds" not in second, "HEAD is a commit, without a run"
    assert first["score"] == second["score"] and first["params"] == second["params"]
    said = pipeline.succeed("saltseg", "summary")
    assert "recipe              shrunk\nseed                2018\nscore " in said
    assert f"run                 {run} in MLflow" in said
    assert "model               version 1 of saltseg in MLflow's registry, not the champion" in said
    assert f"next                saltseg promote {run}" in said
    (pipeline.root / "both.html").unlink()


def test_plots_are_drawn(pipeline: Checkout) -> None:
    said = pipeline.succeed("dvc", "plots", "show")
    assert "failed" not in said
    html = (pipeline.root / "dvc_plots/index.html").read_text()
    for title in ("Score over thresholds", "Score of the held-out fold"):
        assert title in html
    for image in ("crops.png", "predictions.png", "worst.png", "pseudolabels_0.png"):
        assert image in html


@pytest.mark.long
def test_a_missing_model_is_named_and_never_averaged_without(
    pipeline: Checkout, tmp_path: Path
) -> None:
    """DVC takes the models' stages for done in a clone; the ensemble has to look for itself."""
    remote = tmp_path / "remote"
    pipeline.succeed("dvc", "remote", "add", "--force", "--default", "shared", str(remote))
    pipeline.succeed("dvc", "push")
    clone = Checkout(tmp_path / "clone")
    pipeline.succeed("git", "clone", "--quiet", str(pipeline.root), str(clone.root))
    clone.succeed("dvc", "remote", "add", "--default", "shared", str(remote))
    content = shrunk_content()
    content["snapshot_ensemble"]["flip"] = False
    (clone.root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    clone.succeed("dvc", "pull", "train-per-fold@class_unet-0")
    done = clone.run("dvc", "repro", "--pull", "--allow-missing", "snapshot-ensemble")
    assert done.returncode != 0
    assert "2 snapshots are missing: models/class_unet/1/snapshot_0" in done.stderr
    assert not (clone.root / "data/snapshot-ensemble").exists()
    clone.succeed("dvc", "pull")
    clone.succeed("dvc", "repro", "--pull", "--allow-missing", "snapshot-ensemble")


@pytest.mark.long
def test_raw_data_that_dvc_tracks_is_read_in_a_temporary_checkout(
    pipeline: Checkout, small_survey: SurveySet
) -> None:
    raw = pipeline.root / "data/kaggle"
    write_kaggle_layout(raw, small_survey)
    shutil.rmtree(raw / "truth")
    pipeline.succeed("dvc", "add", "data/kaggle")
    pipeline.commit("Track the raw data")
    overrides = ("-S", "ingest.source=tgs", "-S", "ingest.raw_dir=data/kaggle")
    pipeline.succeed("dvc", "exp", "run", "--temp", "--name", "raw", *overrides, "ingest")
    refs = pipeline.succeed("git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    (experiment,) = (ref for ref in refs if ref.endswith("/raw"))
    metrics = json.loads(files_of_commit(pipeline.root, experiment)["results/ingest.json"])
    assert metrics["files"]["masks_16_bit"] > 0
    (run,) = (run for run in recorded_runs(pipeline) if run.info.run_name == "raw")
    assert run.data.tags["dvc.revision"] == pipeline.succeed("git", "rev-parse", experiment).strip()
    lock = pipeline.succeed("git", "show", f"{experiment}:dvc.lock")
    assert record(pipeline, run, "dvc.lock").decode() == lock


@pytest.mark.long
def test_growing_and_shrinking_the_folds_leaves_nothing_stale(pipeline: Checkout) -> None:
    before = pipeline.outputs()
    pipeline.succeed("dvc", "exp", "run", "-S", "train_per_fold.folds=[1]")
    assert not (pipeline.root / "models/class_unet/0").exists()
    table = pd.read_parquet(pipeline.root / "data/snapshot-ensemble/out_of_fold.parquet")
    assert set(table["fold"]) == {1}
    pipeline.succeed("dvc", "exp", "run", "-S", "train_per_fold.folds=[0,1]")
    assert pipeline.outputs() == before


@pytest.mark.long
def test_a_member_from_outside_takes_all_the_weight_it_earns(pipeline: Checkout) -> None:
    """It knows the truth of the training crops, and says of the test crops what the run did."""
    before, data = pipeline.outputs(), pipeline.root / "data"
    folder, predicted = pipeline.root / "outside/known", data / "snapshot-ensemble"
    folder.mkdir(parents=True)
    table = pd.read_parquet(predicted / "out_of_fold.parquet")
    truth = np.load(data / "ingest/train_masks.npy")[table["row"]]
    np.save(folder / "out_of_fold.npy", truth * np.uint8(255))
    table.to_csv(folder / "out_of_fold.csv")
    shutil.copy(predicted / "test.npy", folder)
    crops = pd.read_parquet(data / "ingest/crops.parquet").query("split == 'test'")
    crops.sort_values("row").to_csv(folder / "test.csv")
    added = ("+snapshot_ensemble.outside=[known]", "+snapshot_ensemble.greedy_weights=true")
    done = pipeline.succeed("dvc", "exp", "run", "-S", added[0], "-S", added[1])
    assert "no model is logged" in done and "no column fold" not in done
    weights = read_json(predicted / "member_weights.json")
    assert weights["overall"] == {"class_unet": 0, "known": 1}
    assert read_json(pipeline.root / "results/score.json")["score"] == 1
    assert read_json(data / "submit/manifest.json")["outside"].keys() == {"known"}
    shutil.rmtree(folder)
    pipeline.succeed("dvc", "exp", "run")  # as conf/ has it, without the two
    assert pipeline.outputs() == before
