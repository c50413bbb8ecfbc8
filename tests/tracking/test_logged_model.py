"""The trained pipeline as a logged model: in a real store, in a fresh process, behind a server."""

import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.crops.crop_set import CropSet, load_array
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.modules import imported_modules, imported_names
from saltseg.project.model_export import export_model
from saltseg.project.run_files import files_of_folder
from saltseg.reports.summary import score_in
from saltseg.serving.served_model import _load_pyfunc
from saltseg.tracking.logged_model import record_model, requirements
from saltseg.tracking.registry import fetched_model, open_registry, version_of
from saltseg.tracking.run_content import log_files
from tests.conftest import PROJECT
from tests.helpers.shaky_client import ShakyClient, UnpluggedError
from tests.tracking.conftest import client_of, on_both_stores, recorded, runs, start_stage, under

pytestmark = pytest.mark.slow

LOCK = """
schema: '2.0'
stages:
  submit:
    cmd: x
    deps: [{path: models, md5: 0a.dir}, {path: src/saltseg, md5: 0b.dir}]
    outs: [{path: data/submit, md5: 0c.dir}]
"""


@dataclass(frozen=True)
class Store:
    """A store with one run of a pipeline, whose model is logged and registered."""

    root: Path
    uri: str
    client: MlflowClient
    run: str
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def store(migrated: Path, trained: Layout, tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("store")
    (root / "mlruns").mkdir()
    shutil.copy(migrated, root / "mlruns" / "mlflow.db")
    client = MlflowClient(f"sqlite:///{root}/mlruns/mlflow.db")
    experiment = client.create_experiment("saltseg", (root / "artifacts").as_uri())
    run = client.create_run(experiment).info.run_id
    for key, value in json.loads(trained.score.read_text()).items():
        client.log_metric(run, key, value)
    client.log_metric(run, "submit/crops", 12)
    log_files(client, run, {"test_predictions.png": b"", "threshold.png": b""}, "thumbnails")
    files = files_of_folder(trained.root) | {"dvc.lock": LOCK.encode()}
    made = Store(root, client.tracking_uri, client, run, files)
    record(made, trained, root / "first")
    return made


def record(store: Store, trained: Layout, folder: Path) -> None:
    export_model(trained, folder)
    record_model(store.client, store.run, folder, store.files)


def test_a_run_has_one_version_with_hashes_and_nested_score(store: Store, trained: Layout) -> None:
    record(store, trained, store.root / "second")
    (version,) = store.client.search_model_versions("name = 'saltseg'")
    assert (version.run_id, version.version) == (store.run, 1)
    result = json.loads(trained.result("submit").read_text())
    score = json.loads(trained.score.read_text())
    assert version.tags.pop("manifest")
    assert version.tags == {
        "models": "0a.dir",
        "data/submit": "0c.dir",
        "submission": result["submission"],
        **{key: str(score[key]) for key in ("score", "score_low", "score_high")},
    }
    outputs = store.client.get_run(store.run).outputs
    assert outputs is not None and len(outputs.model_outputs) == 1
    assert (
        len(list((store.root / "artifacts").rglob("snapshot_0.safetensors"))) == 2
    )  # of two folds


@pytest.mark.parametrize("after", [False, True])
def test_wherever_the_store_fails_the_next_attempt_completes_the_one_model(
    store: Store, trained: Layout, tmp_path: Path, *, after: bool
) -> None:
    run = store.client.create_run("1").info.run_id
    store.client.log_metric(run, "score", 0.5)
    export_model(trained, tmp_path)
    breaks = 0
    while True:
        breaks += 1
        shaky = cast(MlflowClient, ShakyClient(store.client, breaks, after=after))
        try:
            record_model(shaky, run, tmp_path, store.files)
            break
        except UnpluggedError:
            continue
    assert breaks > 5
    (model,) = store.client.search_logged_models(["1"], f"source_run_id = '{run}'")
    assert model.status == LoggedModelStatus.READY
    assert [(each.key, each.value) for each in model.metrics or []] == [("score", 0.5)]
    found = store.client.get_run(run).outputs
    assert found is not None and [each.model_id for each in found.model_outputs] == [model.model_id]
    (version,) = store.client.search_model_versions(f"run_id = '{run}'")
    assert (version.description or "").startswith("## Score ")
    with fetched_model(f"models:/saltseg/{version.version}", store.root) as folder:
        assert list(folder.rglob("*.safetensors"))
    store.client.delete_model_version("saltseg", version.version)


def test_the_version_has_a_card(store: Store, trained: Layout) -> None:
    card = store.client.get_model_version("saltseg", "1").description or ""
    score = json.loads(trained.score.read_text())
    assert card.startswith(f"## Score {score_in(score, 'score')}\n")
    assert "there is no score on them" in card
    assert "- **Data:** 24 labelled crops of the synthetic survey, style `default`" in card
    assert "- **Network:** `class_unet`, architecture `class_unet`, reads image; folds 0, 1" in card
    assert f"- **Threshold:** {score['threshold']:.3f}" in card
    assert "has seen no real data" in card
    assert f"get-artifact?path=thumbnails%2Ftest_predictions.png&run_uuid={store.run}" in card
    assert "threshold.png" not in card
    (code,) = re.findall(r"```python\n(.*?)\n```", card, re.DOTALL)
    known: dict[str, Any] = {"images": load_array(trained.data("ingest") / "test_images.npy")[:1]}
    previous = Path.cwd()
    os.chdir(store.root)
    try:
        exec(code, known)
    finally:
        os.chdir(previous)
    masks = load_array(trained.data("postprocess-connected-components") / "test_masks.npy")
    np.testing.assert_array_equal(known["found"].masks, masks[:1])


def test_the_model_has_the_runs_own_metrics(store: Store, trained: Layout) -> None:
    score = json.loads(trained.score.read_text())
    outputs = store.client.get_run(store.run).outputs
    assert outputs is not None
    model = store.client.get_logged_model(outputs.model_outputs[0].model_id)
    assert {each.key: each.value for each in model.metrics or []} == score
    assert len(store.client.get_metric_history(store.run, "score")) == 1
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": "saltseg", "version": "1"}]


FRESH = """
import sys
import mlflow, numpy as np
model = mlflow.pyfunc.load_model("models:/saltseg/1")
images = np.load("images.npy")
model.predict(images[::-1])
alone = model.predict(images[:1], params={"depth": [300.0]})
found = model.predict(images)
assert (alone["masks"] == found["masks"][:1]).all()
assert model.predict(model.input_example)["masks"].shape == (1, 101, 101)
wide = model.predict(np.concatenate([images[:2], images[2:4]], axis=2))
np.savez("found.npz", wide=wide["masks"], **found)
import saltseg
print(saltseg.__file__)
"""


def test_a_fresh_process_loads_it_with_its_own_code(
    store: Store, trained: Layout, small_crops: CropSet, tmp_path: Path
) -> None:
    np.save(tmp_path / "images.npy", small_crops.test_images)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FRESH],
        cwd=tmp_path,
        env=clean_environment(store),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).is_relative_to(store.root / "artifacts")
    found = np.load(tmp_path / "found.npz")
    known = load_array(trained.data("snapshot-ensemble") / "test.npy")
    np.testing.assert_array_equal(found["probabilities"].astype(np.float16), known)
    masks = load_array(trained.data("postprocess-connected-components") / "test_masks.npy")
    np.testing.assert_array_equal(found["masks"], masks)
    assert found["wide"].shape == (2, 101, 202)


def test_a_survey_that_it_predicts_is_a_run_below_its_own(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the version's files over the store of the prediction to the run of its outputs."""
    for name in [each for each in os.environ if each.startswith("MLFLOW")]:
        monkeypatch.delenv(name)
    line = np.random.default_rng(3).normal(size=(60, 70)).astype(np.float32)
    np.save(tmp_path / "line.npy", line)
    monkeypatch.chdir(store.root)
    out = tmp_path / "out"
    command = ["predict", str(tmp_path / "line.npy"), "--axes", "trace,sample", "--out", str(out)]
    done = CliRunner().invoke(app, [*command, "--model", "models:/saltseg/1"])
    assert done.exit_code == 0, done.output
    parent = store.client.get_run(store.run)
    assert parent.outputs is not None
    model = {"run": store.run, "logged_model": parent.outputs.model_outputs[0].model_id}
    assert json.loads((out / "record.json").read_text())["model"] == model
    query = f"tags.`mlflow.parentRunId` = '{store.run}'"
    (run,) = store.client.search_runs([parent.info.experiment_id], query)
    assert (run.info.run_name, run.info.status) == ("survey line.npy", "FINISHED")
    assert {key: run.data.params[f"model.{key}"] for key in model} == model


def test_where_other_code_is_imported_it_refuses_to_predict(store: Store, tmp_path: Path) -> None:
    with fetched_model("models:/saltseg/1", store.root) as folder:
        shutil.copytree(folder / "data" / "model", tmp_path / "model")
    settings = json.loads((tmp_path / "model/model.json").read_text())
    (tmp_path / "model/model.json").write_text(json.dumps(settings | {"code": "sha256:other"}))
    with pytest.raises(InputError, match="load it in a process that has not imported saltseg"):
        _load_pyfunc(str(tmp_path / "model"))


def test_it_is_served(store: Store, trained: Layout, small_crops: CropSet, tmp_path: Path) -> None:
    images = small_crops.test_images[:2]
    with served(store, tmp_path) as address:
        request = {"inputs": images.tolist(), "params": {"depth": [200.0, 400.0]}}
        first = ask(address, request)
        assert "masks" in ask(address, example_of(store))["predictions"]
        ask(address, {"inputs": small_crops.test_images[2:5].tolist()})
        answer = ask(address, request)
        refused = ask(address, {"inputs": images.tolist(), "params": {"depth": [1.0] * 3}})
        wrong = {
            "hold floats, such as": {"inputs": (images / 255).tolist()},
            "hold booleans, such as": {"inputs": (images > 99).tolist()},
            "hold strings, such as": {"inputs": images.astype(str).tolist()},
            "nan is not a depth": {"inputs": images.tolist(), "params": {"depth": [float("nan")]}},
            "more than the 1,000,000 of a request": {"inputs": [[[0] * 1001] * 1000]},
        }
        answers_to = {said: json.dumps(ask(address, content)) for said, content in wrong.items()}
    assert answer == first
    found = answer["predictions"]
    known = load_array(trained.data("snapshot-ensemble") / "test.npy")[:2].astype(np.float64)
    np.testing.assert_allclose(found["probabilities"], known, atol=1e-3)
    assert np.array(found["masks"]).dtype == bool
    assert "depth: 3 values for 2 images" in json.dumps(refused)
    for said, answer_to in answers_to.items():
        assert "InputError: " in answer_to and said in answer_to


def example_of(store: Store) -> dict[str, Any]:
    """Return the request that comes with the first version."""
    with fetched_model("models:/saltseg/1", store.root) as folder:
        example: dict[str, Any] = json.loads((folder / "serving_input_example.json").read_text())
    return example


@contextmanager
def served(store: Store, folder: Path) -> Iterator[str]:
    """Serve the first version by MLflow's own command; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/saltseg/1",
             "--env-manager", "local", "--port", str(port)],
            cwd=folder, env=clean_environment(store), stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 240
        while not answers(f"{address}/ping"):
            assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


def ask(address: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return what the server answers, a refusal too."""
    answer: dict[str, Any]
    request = urllib.request.Request(
        f"{address}/invocations",
        json.dumps(content).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer = json.load(reply)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
    return answer


def clean_environment(store: Store) -> dict[str, str]:
    """Return this environment without what the tests add to it."""
    dropped = ("MLFLOW", "PYTHON", "DVC")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return inherited | {"MLFLOW_TRACKING_URI": store.uri, "PATH": scripts}


def test_its_requirements_are_what_its_code_imports() -> None:
    distributions = importlib.metadata.packages_distributions()
    served_by = PROJECT / "src/saltseg/serving/served_model.py"
    names = {
        name.partition(".")[0]
        for path in [served_by, *imported_modules([served_by])]
        for name in imported_names(path)
    }
    needed = {
        distributions[name][0].lower().replace("_", "-") for name in names & set(distributions)
    }
    pinned = {line.partition("==")[0] for line in requirements()}
    assert needed - {"saltseg", "pillow", "matplotlib", "pydantic-core"} <= pinned
    assert not any("+" in line or "/" in line for line in requirements())


@on_both_stores
def test_the_model_of_a_temporary_checkout_outlives_it(
    checkout: Path, pipeline: "subprocess.Popen[str]", trained: Layout, tmp_path: Path
) -> None:
    """As `dvc exp run --temp` does: the checkout and its code go before the pipeline's process."""
    main = tmp_path / "main"
    main.mkdir()
    (checkout / "mlruns").rename(main / "mlruns")
    for name in ("data", "models", "results", "params.yaml"):
        source = trained.root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, checkout / name)
    shutil.copytree(PROJECT / "src", checkout / "src")
    environment = under(pipeline, DVC_ROOT=str(main), PYTHONPATH="src")
    process = start_stage(checkout, "run.model()", "submit", **environment)
    assert process.communicate(timeout=120)[1] == ""
    shutil.rmtree(checkout)
    # What the files of an experiment's commit would bring.
    client_of(main).log_metric(recorded(main)["pipeline"].info.run_id, "score", 0.5)
    pipeline.communicate("\n")
    parent = runs(main)["pipeline"]
    version = version_of(open_registry(main), parent.info.run_id)
    assert version is not None, (main / "mlruns/recorder.log").read_text()
    assert version.tags["manifest"]
    assert not list((main / "mlruns").glob(".model-*"))
    client = open_registry(main)
    assert parent.outputs is not None
    model = client.get_logged_model(parent.outputs.model_outputs[0].model_id)
    assert [(each.key, each.value) for each in model.metrics or []] == [("score", 0.5)]
    card = client.get_model_version("saltseg", version.number).description or ""
    assert "- **Threshold:** " in card and f'saltseg.load("{version.uri}")' in card
    with fetched_model(f"models:/saltseg/{version.number}", main) as folder:
        assert len(list(folder.rglob("*.safetensors"))) == 4
