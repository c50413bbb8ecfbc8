"""From a recorded run to the champion, and from the champion to masks."""

import numpy as np
import pytest
from mlflow import MlflowClient

from saltseg.files import hash_file
from saltseg.survey.sections import make_section
from saltseg.tracking.registry import CHAMPION, NAME, Version, champion
from tests.pipeline.test_pipeline import read_json
from tests.reproduction.conftest import Recorded, flip_byte

pytestmark = pytest.mark.slow


def champion_of(checkout: Recorded) -> Version | None:
    return champion(MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db"))


def test_a_run_that_verifies_becomes_the_champion_and_predicts(copy: Recorded) -> None:
    result = read_json(copy.root / "results/submit.json")
    said = copy.succeed("saltseg", "promote", copy.run_id[:10])
    low, high = result["out_of_fold_low"], result["out_of_fold_high"]
    quoted = (
        f"out-of-fold score {result['out_of_fold_score']:.4f}, 95% interval {low:.4f} to {high:.4f}"
    )
    assert said == f"champion  version 1 of run {copy.run_id[:12]}, {quoted}\nbefore    none\n"
    again = copy.succeed("saltseg", "promote", copy.run_id)
    assert again.splitlines()[1] == again.splitlines()[0].replace("champion", "before  ")
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


def test_a_run_without_a_model_is_refused(copy: Recorded) -> None:
    client = MlflowClient(f"sqlite:///{copy.root}/mlruns/mlflow.db")
    client.delete_registered_model(NAME)
    done = copy.run("saltseg", "promote", copy.run_id)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "MLflow has no model of it" in done.stderr
    done = copy.run("saltseg", "promote", "HEAD")
    assert "no run in MLflow recorded it" in done.stderr
    done = copy.run("saltseg", "predict", "params.yaml", "--out", "found")
    assert "params.yaml: is none of .png" in done.stderr
    np.save(copy.root / "tmp.npy", np.eye(120))
    done = copy.run("saltseg", "predict", "tmp.npy", "--out", "found")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"models:/saltseg@{CHAMPION}: MLflow has no such model" in done.stderr
