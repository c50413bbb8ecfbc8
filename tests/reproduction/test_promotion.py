"""From a recorded run to the champion, and from the champion to masks."""

from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from filelock import FileLock
from mlflow import MlflowClient

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file, read_json
from saltseg.project.code_state import SYNCED
from saltseg.project.registered_model import CHAMPION, NAME
from saltseg.serving.promotion import promote
from saltseg.survey.sections import make_section
from saltseg.tracking.registry import Version, champion, open_registry
from tests.helpers.records import record_run
from tests.reproduction.conftest import Recorded, flip_byte

pytestmark = pytest.mark.slow


def champion_of(checkout: Recorded) -> Version | None:
    return champion(MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db"))


def test_a_run_that_verifies_becomes_the_champion_and_predicts(copy: Recorded) -> None:
    result = read_json(copy.root / "results/score.json")
    said = copy.succeed("saltseg", "promote", copy.run_id[:10])
    low, high = result["score_low"], result["score_high"]
    quoted = f"score {result['score']:.4f}, 95% interval {low:.4f} to {high:.4f}"
    assert said.startswith(
        f"champion  version 1 of run {copy.run_id[:12]}, {quoted}\nbefore    none\n"
    )
    assert "saltseg predict and weights use it from now on" in said
    again = copy.succeed("saltseg", "promote", copy.run_id)
    assert again.splitlines() == [said.splitlines()[0], "before    the same: nothing changed"]
    version = champion_of(copy)
    assert version is not None and version.run == copy.run_id
    assert version.tags["data/submit"] == copy.outputs()["data/submit"]
    assert version.tags["manifest"] == hash_file(copy.root / "data/submit/manifest.json")
    np.save(copy.root / "tmp.npy", make_section(2018, 0).amplitude[:120])
    said = copy.succeed("saltseg", "predict", "tmp.npy", "--out", "found")
    assert "tmp.npy: " in said and "% salt: found/tmp_mask.png" in said
    assert np.load(copy.root / "found/tmp_probability.npy").shape[0] == 120


def test_a_run_that_does_not_verify_is_refused(copy: Recorded) -> None:
    name = "models/class_unet/0//snapshot_0.safetensors"
    for place in (
        copy.cached(name),
        copy.remote / copy.cached(name).relative_to(copy.root / ".dvc/cache"),
    ):
        flip_byte(place)
    done = copy.run("saltseg", "promote", copy.run_id)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "does not verify: models/class_unet/0/snapshot_0.safetensors " in done.stderr
    assert champion_of(copy) is None


@pytest.mark.long
def test_a_run_without_a_model_is_refused(copy: Recorded) -> None:
    client = MlflowClient(f"sqlite:///{copy.root}/mlruns/mlflow.db")
    client.delete_registered_model(NAME)
    done = copy.run("saltseg", "promote", copy.run_id)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "has no model in MLflow" in done.stderr
    done = copy.run("saltseg", "promote", "HEAD")
    assert "is not a run in MLflow" in done.stderr
    done = copy.run("saltseg", "predict", "params.yaml", "--out", "found")
    assert "params.yaml: has " in done.stderr and "SEG-Y begins with" in done.stderr
    np.save(copy.root / "tmp.npy", np.eye(120))
    done = copy.run("saltseg", "predict", "tmp.npy", "--out", "found")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"{CHAMPION}: MLflow has no such model" in done.stderr


def test_a_model_that_is_being_registered_is_awaited(repository: Path) -> None:
    """A recorder ends its run first; a record that lacks something keeps it from promotion."""
    run = record_run(repository, leave_out="dvc.lock")
    lock = FileLock(repository / "mlruns/.recorder-1.lock", thread_local=False)
    recorder = Timer(1, register_late, (repository, run, lock))
    with lock:
        recorder.start()
        with pytest.raises(InputError, match=r"does not verify: dvc\.lock is missing"):
            promote(run, repository)
    recorder.join()


def register_late(root: Path, run: str, lock: FileLock) -> None:
    client = open_registry(root)
    client.create_registered_model(NAME)
    client.create_model_version(NAME, (root / "model").as_uri(), run)
    lock.release()


def test_a_row_that_sync_made_is_refused_for_what_it_is(repository: Path) -> None:
    run = record_run(repository, **{SYNCED: "true"})
    with pytest.raises(InputError, match=r"was created by 'saltseg sync' .* promote the run that"):
        promote(run, repository)
