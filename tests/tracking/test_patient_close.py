"""A store that fails at a pipeline's very end: the record comes late, or its loss is told once."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.config.params import load_params
from saltseg.project.processes import identity
from saltseg.tracking.mlflow_runs import PipelineRecord
from saltseg.tracking.patient_close import close_patiently
from saltseg.tracking.run_content import RECORD
from tests.helpers.shaky_client import ShakyClient, UnpluggedError
from tests.tracking.conftest import Start, client_of, recorded, runs, under

LOCK = """
schema: '2.0'
stages:
  ingest:
    cmd: x
    outs: [{path: data/ingest, md5: 0a.dir}]
"""

HISTORY = "epoch,validation_score\n1,0.5\n2,0.75\n"


def opened(root: Path) -> PipelineRecord:
    """Open the run of a pipeline that this process stands for, and let dvc write its last."""
    me = {"pid": os.getpid(), "identity": identity(os.getpid())}
    begin = {"stage": "ingest", "root": str(root), "main": str(root), "time": 1_000_000}
    params = load_params(root / "params.yaml").model_dump(mode="json")
    record = PipelineRecord(begin | {"params": params, "pipeline": me, "command": ["dvc"]})
    (root / "dvc.lock").write_text(LOCK)
    for name, text in {
        "results/ingest.json": '{"crops": 12}',
        "results/plots/train-per-fold/lite0/0/history.csv": HISTORY,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return record


def plug(record: PipelineRecord, client: object) -> None:
    record.client = record.metrics.client = cast(MlflowClient, client)


def content(root: Path, run: Run) -> dict[str, Any]:
    """Return all that a run says, but its id and its times."""
    client = client_of(root)
    folder = Path(client.download_artifacts(run.info.run_id, ""))
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    history = {
        key: [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, key)]
        for key in run.data.metrics
    }
    tags = {key: text.replace(run.info.run_id, "RUN") for key, text in run.data.tags.items()}
    crops = [each.dataset.name for each in run.inputs.dataset_inputs] if run.inputs else []
    return {
        "status": run.info.status,
        "files": files,
        "metrics": history,
        "tags": {key: text for key, text in tags.items() if "runName" not in key},
        "crops": crops,
    }


@pytest.mark.parametrize("after", [False, True])
def test_wherever_the_store_fails_the_next_attempt_completes_the_record(
    checkout: Path, *, after: bool
) -> None:
    smooth = opened(checkout)
    real = smooth.client
    smooth.close()
    whole = content(checkout, real.get_run(smooth.run))
    assert whole["status"] == "FINISHED" and whole["crops"] == ["data/ingest"]
    assert {f"{RECORD}/dvc.lock", f"{RECORD}/params.yaml"} <= whole["files"]
    assert "thumbnails/lite0_folds.png" in whole["files"]
    (checkout / "dvc.lock").unlink()

    shaken, breaks = opened(checkout), 0
    assert shaken.run != smooth.run
    while True:
        breaks += 1
        plug(shaken, ShakyClient(real, breaks, after=after))
        try:
            shaken.close()
            break
        except UnpluggedError:
            # What the next pipeline does meanwhile is not of this run.
            (checkout / "dvc.lock").write_text("stages: {}\n")
    assert breaks > 5
    assert content(checkout, real.get_run(shaken.run)) == whole
    lock = real.download_artifacts(shaken.run, f"{RECORD}/dvc.lock")
    assert Path(lock).read_text() == LOCK


def break_store(root: Path) -> Callable[[], None]:
    """Put a file in place of the store's artifacts; return what brings them back."""
    place, aside = root / "mlruns/artifacts", root / "mlruns/aside"
    place.rename(aside)
    place.touch()

    def mend() -> None:
        place.unlink()
        aside.rename(place)

    return mend


@pytest.mark.slow
def test_a_recorder_waits_for_a_store_that_fails_at_the_end(
    checkout: Path, start: Start, pipeline: "subprocess.Popen[str]"
) -> None:
    assert start("run.metrics({'a': 1.0})", **under(pipeline)).communicate(timeout=240)[1] == ""
    mend = break_store(checkout)
    pipeline.communicate("\n")
    log = checkout / "mlruns/recorder.log"
    until = time.monotonic() + 60
    while not log.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    assert recorded(checkout)["pipeline"].info.status == "RUNNING"
    mend()
    found = runs(checkout)["pipeline"]
    assert found.info.status == "FINISHED"
    assert f"{RECORD}/params.yaml" in content(checkout, found)["files"]


def test_a_record_that_is_lost_is_told_once(checkout: Path) -> None:
    record = opened(checkout)
    mend = break_store(checkout)
    close_patiently(record, checkout / "mlruns", waits=(0.01, 0.01))
    mend()
    command = [sys.executable, "-m", "saltseg", "verify", "--help"]
    first, second = (
        subprocess.run(command, cwd=checkout, capture_output=True, text=True) for _ in range(2)
    )
    assert first.stderr.count("\n") == 1 and second.stderr == ""
    assert f"saltseg: warning: run {record.name!r} in MLflow lacks its end (" in first.stderr
    assert "'dvc repro --force --single-item submit'" in first.stderr
    assert first.stdout == second.stdout


@pytest.mark.slow
def test_the_next_stage_tells_it_too(checkout: Path, start: Start) -> None:
    record = opened(checkout)
    mend = break_store(checkout)
    close_patiently(record, checkout / "mlruns", waits=())
    mend()
    said = [start("pass").communicate(timeout=240)[1] for _ in range(2)]
    assert "lacks its end" in said[0] and said[0].count("\n") == 1
    assert said[1] == ""
