"""Trainings and surveys on a real Ray cluster of two nodes, one of which is killed in the middle.

Nodes have temporary folders, caches and checkouts of their own, and exchange data through a real
S3 server, so that nothing passes through a shared disk by accident.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.cluster.dealing import HELD
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from saltseg.seismic.store import PREDICTION
from saltseg.serving.survey_work import WORK
from saltseg.tracking import wait_for_recorders
from tests.conftest import PROJECT, shrunk_content
from tests.helpers.checkout import Checkout, make_checkout
from tests.helpers.full_store import LEFT, full_stores
from tests.helpers.large_answers import PIECES
from tests.helpers.phases import set_epochs
from tests.helpers.ray_nodes import RayNodes, ray_nodes
from tests.helpers.s3 import BUCKET, CREDENTIALS, s3_server
from tests.helpers.servers import mlflow_server

pytestmark = pytest.mark.long

ITEMS = ("train-per-fold@class_unet-0", "train-per-fold@class_unet-1")
INPUTS = ("ingest", "pretraining", "fold-split", "pseudolabel")
"""What the training reads, of data/."""

PATIENCE = 3600
"""Seconds after which a test gives up on a busy machine."""


@dataclass
class Place:
    """A cluster, and the servers that its nodes reach."""

    nodes: RayNodes
    variables: dict[str, str]
    s3: str
    mlflow: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A cluster, an S3 server and an MLflow server, all of which start at once."""
    folder = tmp_path_factory.mktemp("cluster")
    store = f"sqlite:///{folder / 'mlflow.db'}"
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        s3 = pool.submit(stack.enter_context, s3_server(folder))
        mlflow = pool.submit(stack.enter_context, mlflow_server(store, folder))
        nodes = stack.enter_context(ray_nodes(folder / "nodes", CREDENTIALS))
        variables = nodes.variables | CREDENTIALS | {"MLFLOW_TRACKING_URI": mlflow.result()}
        yield Place(nodes, variables, s3.result(), mlflow.result())


@pytest.fixture
def two_nodes(place: Place) -> Place:
    """The cluster, with both of its nodes alive."""
    if not psutil.pid_exists(place.nodes.raylets[1]):
        place.nodes.add()
    return place


def wait_for(found: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Wait until something is there that a running process makes."""
    until = time.monotonic() + PATIENCE
    while not found():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def ready_to_train(trained: Layout, root: Path) -> Checkout:
    """Make a checkout whose only stage is the real training, its inputs kept with `dvc add`."""
    content = shrunk_content()
    set_epochs(content, 40, "train_per_fold")
    content["runtime"]["save_seconds"] = 0
    checkout = make_checkout(root, content)
    pipeline = yaml.safe_load((root / "dvc.yaml").read_text())
    stages = {"train-per-fold": pipeline["stages"]["train-per-fold"]}
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    for name in INPUTS:
        (root / "data" / name).mkdir(parents=True)
        if (trained.root / "data" / name).exists():
            shutil.copytree(trained.root / "data" / name, root / "data" / name, dirs_exist_ok=True)
    (root / "data/pretraining/none").touch()
    checkout.succeed("dvc", "add", "--quiet", *(f"data/{name}" for name in INPUTS))
    return checkout


def add_remote(checkout: Checkout, s3: str) -> None:
    checkout.succeed("dvc", "remote", "add", "--quiet", "--default", "bucket", f"s3://{BUCKET}/dvc")
    checkout.succeed("dvc", "remote", "modify", "bucket", "endpointurl", s3)


def start(checkout: Checkout, place: Place, *arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["saltseg", *map(str, arguments), "--ray", place.nodes.address],
        cwd=checkout.root, env=checkout.environment() | place.variables, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def outcome(process: "subprocess.Popen[str]") -> str:
    """Return what a process said that must succeed, at the latest when patience ends."""
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"not ended after {PATIENCE} s:\n{process.communicate()[0]}")
    assert process.returncode == 0, said
    return said


def locked(checkout: Checkout) -> dict[str, object]:
    lock = yaml.safe_load((checkout.root / "dvc.lock").read_text())
    return {item: lock["stages"][item] for item in ITEMS}


def content_of(folder: Path) -> dict[str, bytes]:
    """Return all files but .gitignore, whose lines are in the order in which items ended."""
    paths = sorted(folder.rglob("*"))
    files = [path for path in paths if path.is_file() and path.name != ".gitignore"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_node_dies_in_a_training_and_the_bytes_are_those_of_one_machine(
    two_nodes: Place, trained: Layout, tmp_path: Path
) -> None:
    spread = ready_to_train(trained, tmp_path / "spread")
    alone = Checkout(shutil.copytree(spread.root, tmp_path / "alone", symlinks=True))
    server = {"MLFLOW_TRACKING_URI": two_nodes.mlflow, "MLFLOW_EXPERIMENT_NAME": "alone"}
    alone.succeed("dvc", "repro", **server)
    add_remote(spread, two_nodes.s3)
    states = tmp_path / "states"
    process = start(spread, two_nodes, "train", "--states", states)
    wait_for(lambda: all_have_trained(states, seconds=1), process)
    two_nodes.nodes.kill(1)
    said = outcome(process)
    lost = next(item for item in ITEMS if f"{item}: lost with" in said)
    assert "resum" in (spread.root / f"tmp/logs/{lost}.log").read_text()
    assert locked(spread) == locked(alone)
    for folder in ("models", "results"):
        assert content_of(spread.root / folder) == content_of(alone.root / folder)
    assert spread.succeed("dvc", "status").strip().endswith("up to date.")
    assert not [*states.glob("*/progress.checkpoint")]
    wait_for_recorders(spread.root / "mlruns", PATIENCE)
    check_record(two_nodes.mlflow, lost)


def all_have_trained(states: Path, seconds: float) -> bool:
    """Tell whether the checkpoints of all items are of some time after their beginning."""
    saved = [*states.glob("*/progress.checkpoint")]
    begun = [path.parent.with_suffix(".lock").stat().st_mtime for path in saved]
    ages = [path.stat().st_mtime - at for path, at in zip(saved, begun, strict=True)]
    return len(ages) == len(ITEMS) and min(ages) > seconds


def check_record(mlflow: str, lost: str) -> None:
    """One run of the pipeline, with its trainings below, and the node that each ran on."""
    client, runs = MlflowClient(tracking_uri=mlflow), search(mlflow, "saltseg")
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.status for run in parents] == ["FINISHED"]
    below = {run.info.run_id: run for run in runs if run not in parents}
    assert {run.data.tags["mlflow.parentRunId"] for run in below.values()} == {
        parents[0].info.run_id
    }
    states = [run.info.status for run in below.values()]
    assert states.count("FINISHED") == len(ITEMS) and {*states} <= {"FINISHED", "KILLED"}
    path = Path(client.download_artifacts(parents[0].info.run_id, "record/nodes.json"))
    nodes = yaml.safe_load(path.read_text())
    assert {*nodes} == {*ITEMS} and nodes[lost]["address"] == "127.0.0.2"


def test_a_node_dies_in_a_prediction_and_the_bytes_are_those_of_one_machine(
    two_nodes: Place, trained: Layout, tmp_path: Path
) -> None:
    model = tmp_path / "exported"
    export_model(trained, model)
    survey = tmp_path / "survey.npy"
    np.save(survey, np.random.default_rng(5).normal(size=(30, 40, 110)).astype(np.float32))
    arguments: list[str | Path] = ["--axes", "inline,crossline,sample", "--model", model, survey]
    here, out = Checkout(tmp_path), tmp_path / "spread"
    here.succeed("saltseg", "predict", "--out", "alone", *map(str, arguments))
    process = start(here, two_nodes, "predict", "--out", out, *arguments)
    wait_for(lambda: len([*(out / WORK).glob("*line/[0-9]*.npy")]) > 3, process)
    two_nodes.nodes.kill(1)
    outcome(process)
    assert content_of(out / PREDICTION) == content_of(tmp_path / "alone" / PREDICTION)
    assert not (out / WORK).exists()


def test_a_prediction_needs_no_room_in_the_object_stores(
    two_nodes: Place, trained: Layout, tmp_path: Path
) -> None:
    """The sections in flight are larger than what is free there."""
    model = tmp_path / "exported"
    export_model(trained, model)
    shape = 8, 250, 500
    nodes = len(two_nodes.nodes.raylets)
    in_flight = HELD * nodes * 4 * shape[1] * shape[2]
    assert in_flight > nodes * LEFT
    survey = tmp_path / "survey.npy"
    np.save(survey, np.random.default_rng(6).normal(size=shape).astype(np.float32))
    arguments: list[str | Path] = ["--axes", "inline,crossline,sample", "--along", "inline"]
    arguments += ["--model", model, survey]
    here = Checkout(tmp_path)
    here.succeed("saltseg", "predict", "--out", "alone", *map(str, arguments))
    variables = here.environment() | two_nodes.variables
    with full_stores(two_nodes.nodes.address, variables):
        process = start(here, two_nodes, "predict", "--out", tmp_path / "spread", *arguments)
        outcome(process)
    assert content_of(tmp_path / "spread" / PREDICTION) == content_of(
        tmp_path / "alone" / PREDICTION
    )


def test_pieces_wait_where_answers_fill_the_object_stores(two_nodes: Place, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.helpers.large_answers", two_nodes.nodes.address]
    done = subprocess.run(
        [*command, str(tmp_path)],
        env=Checkout(tmp_path).environment() | two_nodes.variables, cwd=PROJECT,
        check=False, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert sorted(each["piece"] for each in told) == [*range(PIECES)]
    held = HELD * len(two_nodes.nodes.raylets)
    assert all(each["begun"] <= each["done"] + held for each in told), told


THRESHOLDS = "threshold_search.low=0.0 & threshold_search.high=0.01"
"""A change that trains nothing."""


def test_the_trials_of_an_ablation_leave_the_experiments_of_one_machine(
    two_nodes: Place, tmp_path: Path
) -> None:
    spread = make_checkout(tmp_path / "spread", shrunk_content())
    alone = Checkout(shutil.copytree(spread.root, tmp_path / "alone", symlinks=True))
    arguments = ("ablate", "shrunk", "--vary", THRESHOLDS)
    server = {"MLFLOW_TRACKING_URI": two_nodes.mlflow, "MLFLOW_EXPERIMENT_NAME": "alone-trials"}
    alone.succeed("saltseg", *arguments, **server)
    add_remote(spread, two_nodes.s3)
    place = replace(two_nodes, variables=two_nodes.variables | {"MLFLOW_EXPERIMENT_NAME": "trials"})
    process = start(spread, place, *arguments)
    said = outcome(process)
    assert said.count(": started on ") == 4, "two teachers and two members, once for both trials"
    assert saved(spread) == saved(alone) and len(saved(spread)) == 2
    assert spread.succeed("git", "status", "--porcelain") == " M .dvc/config\n"  # the remote
    wait_for_recorders(spread.root / "mlruns", PATIENCE)
    runs = search(two_nodes.mlflow, "trials")
    assert {run.data.tags["dvc.experiment"] for run in runs} == {*saved(spread)}
    assert sum("dvc.revision" in run.data.tags for run in runs) == 2
    assert [*two_nodes.nodes.folders[0].glob("saltseg-trial-*")] == []


def saved(checkout: Checkout) -> dict[str, tuple[object, ...]]:
    """Return what each experiment of a checkout keeps: files, parameters and hashes.

    Entries of dvc.lock are in the order in which items ended.
    """
    listed = checkout.succeed("git", "for-each-ref", "--format=%(refname)", "refs/exps")
    names = [name for name in listed.split() if "/ablate-" in name]
    return {
        name.rpartition("/")[2]: (
            checkout.succeed("git", "ls-tree", "-r", "--name-only", name),
            checkout.succeed("git", "show", f"{name}:params.yaml"),
            yaml.safe_load(checkout.succeed("git", "show", f"{name}:dvc.lock")),
        )
        for name in names
    }


def search(mlflow: str, experiment: str, query: str = "") -> list[Run]:
    client = MlflowClient(tracking_uri=mlflow)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id], query))


def test_what_a_cluster_lacks_costs_one_line(place: Place, trained: Layout, tmp_path: Path) -> None:
    checkout = ready_to_train(trained, tmp_path / "checkout")
    add_remote(checkout, place.s3)
    stranger = place.variables | {"RAY_AUTH_TOKEN": "0" * 64}
    wanted = {"cuda": place.variables, "cpu": stranger}
    reasons = {
        "cuda": "runtime.accelerator: cuda asks for a GPU, and no node of",
        "cpu": "with the token of its nodes",
    }
    for accelerator, variables in wanted.items():
        content = yaml.safe_load((checkout.root / "params.yaml").read_text())
        content["runtime"]["accelerator"] = accelerator
        (checkout.root / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        done = checkout.run("saltseg", "train", "--ray", place.nodes.address, **variables)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("saltseg: ")
        assert reasons[accelerator] in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_nothing_of_an_item_is_left_on_a_node(place: Place) -> None:
    """Runs last: what stays is the cache, for the next item."""
    for folder in place.nodes.folders[:1]:
        assert not [*folder.glob("saltseg-item-*")]
        assert (folder / f"saltseg-node-{os.getuid()}/cache").is_dir()
