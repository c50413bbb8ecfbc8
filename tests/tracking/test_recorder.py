"""Stages as real processes, with their recorders and a real store."""

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from saltseg.config.params import load_params
from tests.conftest import PROJECT
from tests.helpers.servers import mlflow_server
from tests.tracking.conftest import (
    DVC_YAML,
    Start,
    client_of,
    on_both_stores,
    recorded,
    runs,
    under,
    write_old_store,
)

pytestmark = pytest.mark.slow  # every recorder imports MLflow


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=saltseg", "-c", "user.email=saltseg@example.org")
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(checkout: Path) -> Path:
    """The checkout as a git repository that ignores its store."""
    (checkout / ".gitignore").write_text("mlruns/\n")
    (checkout / "results").mkdir()
    git(checkout, "init", "--quiet")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "The project")
    return checkout


def done(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for a stage; return its exit code and what it said on standard error."""
    said = process.communicate(timeout=240)[1]
    return process.returncode, said


@on_both_stores
def test_a_finished_stage_is_recorded_with_all_that_it_reported(
    checkout: Path, start: Start
) -> None:
    body = (
        "run.epoch({'loss': 0.5}, 1); run.epoch({'loss': 0.25}, 2);"
        " Path('note.txt').write_text('x'); run.artifact(Path('note.txt'));"
        " run.metrics({'loss': 0.25, 'best_loss': 0.25, 'named': {'deep': 3}, 'text': 'no number'})"
    )
    (checkout / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  ingest:\n    cmd: x\n    outs:\n"
        "    - {path: data/ingest, hash: md5, md5: 11223344556677889900112233445566.dir}\n"
        "    - {path: data/pseudolabel/1, hash: md5, md5: 0a.dir}\n"
    )
    tracking = DVC_YAML.replace("    deps: [", "    params: [train_per_fold]\n    deps: [")
    (checkout / "dvc.yaml").write_text(tracking)
    code, said = done(start(body, "train-per-fold", "lite0", "0"))
    assert (code, said) == (0, "")
    found = runs(checkout)
    assert set(found) == {"pipeline", "train-per-fold lite0 0"}
    parent, run = found["pipeline"], found["train-per-fold lite0 0"]
    assert run.info.status == parent.info.status == "FINISHED"
    assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert run.data.metrics == {"loss": 0.25, "best_loss": 0.25, "named.deep": 3}
    assert parent.data.metrics == {
        "train-per-fold/lite0/0/loss": 0.25,
        "train-per-fold/lite0/0/best_loss": 0.25,
        "train-per-fold/lite0/0/named.deep": 3,
    }
    settings = load_params(PROJECT / "params.yaml").train_per_fold
    for each in (parent, run):
        assert each.data.params["train_per_fold.phases.0.schedule.constant.epochs"] == "1"
        assert json.loads(each.data.params["train_per_fold.members"]) == settings.members
        assert {"host", "cpu", "python", "torch", "mlflow.user"} <= set(each.data.tags)
        assert not {tag for tag in each.data.tags if tag.startswith(("pipeline.", "recorder."))}
    assert parent.data.params["base.seed"] and "base.seed" not in run.data.params
    assert run.data.tags["mlflow.source.name"] == "stages/train_per_fold.py"
    assert parent.inputs is not None
    assert [each.dataset.name for each in parent.inputs.dataset_inputs] == ["data/ingest"]
    assert run.data.tags["dvc.item"] == "lite0 0"
    assert run.inputs is not None
    datasets = {each.dataset.name: each.dataset.digest for each in run.inputs.dataset_inputs}
    assert datasets == {"data/ingest": "11223344556677889900112233445566.dir"}
    assert run.data.tags["input.data/ingest"] == datasets["data/ingest"]
    client = client_of(checkout)
    losses = client.get_metric_history(run.info.run_id, "loss")
    assert [(each.step, each.value) for each in losses] == [(1, 0.5), (2, 0.25)]
    curve = client.get_metric_history(parent.info.run_id, "train-per-fold/lite0/0/loss")
    assert [(each.step, each.value) for each in curve] == [(1, 0.5), (2, 0.25)]
    assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["note.txt"]
    note = Path(client.download_artifacts(run.info.run_id, "note.txt"))
    assert note.read_text() == "x"


@pytest.mark.parametrize(
    ("body", "status"),
    [("raise ValueError('torn\\npaper')", "FAILED"), ("raise KeyboardInterrupt", "KILLED")],
)
def test_a_stage_that_raises(checkout: Path, start: Start, body: str, status: str) -> None:
    code, _ = done(start(body))
    assert code != 0
    found = runs(checkout)
    assert [found["ingest"].info.status, found["pipeline"].info.status] == [status, status]
    if status == "FAILED":
        assert found["ingest"].data.tags["error"] == "ValueError: torn paper"
        assert found["pipeline"].data.tags["error"] == "ingest: ValueError: torn paper"


def test_a_stage_that_is_killed_leaves_no_running_run(checkout: Path, start: Start) -> None:
    # A worker that outlives the stage holds the pipe open, as a data loader's may.
    body = "child = os.fork(); child or time.sleep(15); os.kill(os.getpid(), signal.SIGKILL)"
    process = start(body)
    process.wait(60)
    assert process.returncode == -signal.SIGKILL
    found = runs(checkout)
    assert found["ingest"].info.status == found["pipeline"].info.status == "KILLED"


def test_a_stage_ends_with_its_pipeline(
    checkout: Path, start: Start, pipeline: "subprocess.Popen[str]"
) -> None:
    # Nothing but a signal ends this stage so soon.
    process = start("Path('begun').touch(); time.sleep(600)", **under(pipeline))
    while process.poll() is None and not (checkout / "begun").exists():
        time.sleep(0.02)
    pipeline.kill()
    pipeline.wait()
    code, said = done(process)
    assert code == -signal.SIGTERM
    assert said == "saltseg: dvc has ended, so this stage ends too\n"
    found = runs(checkout)
    assert found["ingest"].info.status == found["pipeline"].info.status == "KILLED"


def test_a_pipeline_that_is_killed_between_two_stages_is_killed(
    checkout: Path, start: Start
) -> None:
    dvc = subprocess.Popen(
        [sys.executable, "-c", "input()", "dvc", "repro"], stdin=subprocess.PIPE, text=True
    )
    assert done(start("pass", **under(dvc))) == (0, "")
    (checkout / "dvc.lock").write_text("stages: {ingest: {cmd: x}}")
    dvc.kill()
    dvc.communicate()
    found = runs(checkout)
    assert (found["ingest"].info.status, found["pipeline"].info.status) == ("FINISHED", "KILLED")
    assert "dvc: it ended before train-per-fold@lite0-0" in found["pipeline"].data.tags["error"]


@pytest.mark.long
def test_a_server_that_dies_mid_run_costs_one_line(
    checkout: Path, start: Start, migrated: Path, tmp_path: Path
) -> None:
    database = tmp_path / "served.db"
    database.write_bytes(migrated.read_bytes())
    body = (
        "run.metrics({'loss': 1.0}); Path('begun').touch()\n"
        "    while not Path('gone').exists(): time.sleep(0.05)\n"
        "    run.epoch({'loss': 1.0}, 1); run.metrics({'loss': 2.0})"
    )
    with mlflow_server(f"sqlite:///{database}", tmp_path) as address:
        process = start(body, MLFLOW_TRACKING_URI=address)
        while process.poll() is None and not (checkout / "begun").exists():
            time.sleep(0.05)
    (checkout / "gone").touch()
    code, said = done(process)
    assert code == 0 and said.count("\n") == 1
    assert "saltseg: warning: the results are complete, but the run in MLflow may not be" in said
    assert json.loads((checkout / "results/ingest.json").read_text()) == {"loss": 2.0}


def test_a_stage_does_not_begin_without_its_pipeline(
    checkout: Path, start: Start, pipeline: "subprocess.Popen[str]"
) -> None:
    pipeline.kill()
    pipeline.wait()
    code, said = done(start("Path('begun').touch()", **under(pipeline)))
    assert code == 1
    assert f"InputError: process {pipeline.pid}, which started this stage, ended" in said
    assert not (checkout / "begun").exists()


def test_a_stage_that_was_adopted_does_not_begin(tmp_path: Path) -> None:
    stage = (
        "import os, time; from pathlib import Path; "
        "from saltseg.plumbing.errors import InputError; "
        "from saltseg.tracking.wire import pipeline_process\n"
        "while os.getppid() == PARENT: time.sleep(0.02)\n"
        "try: pipeline_process()\n"
        "except InputError as error: Path('told').write_text(str(error))\n"
        "else: Path('told').write_text('it begins')"
    )
    dvc = (
        "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', "
        f"{stage!r}.replace('PARENT', str(os.getpid()))], env=os.environ | {{'DVC_STAGE': 'x'}})"
    )
    subprocess.run([sys.executable, "-c", dvc], cwd=tmp_path, check=True, start_new_session=True)
    told = tmp_path / "told"
    for _ in range(600):
        if told.exists() and told.read_text():
            break
        time.sleep(0.05)
    assert told.read_text() == "the dvc process that started this stage has ended"


def test_an_unreachable_server_costs_one_line(
    start: Start, pipeline: "subprocess.Popen[str]"
) -> None:
    uri = "http://user:password@127.0.0.1:9"
    body = "run.metrics({'loss': 1.0}); run.epoch({'loss': 1.0}, 0); run.artifact(Path('dvc.yaml'))"
    first = done(start(body, **under(pipeline, MLFLOW_TRACKING_URI=uri)))
    second = done(start(body, "submit", **under(pipeline, MLFLOW_TRACKING_URI=uri)))
    assert first[0] == second[0] == 0
    assert first[1].count("\n") == 1
    assert "saltseg: warning: the results are complete, but the run in MLflow" in first[1]
    assert "MLflow cannot be asked" in first[1] and "start its server" in first[1]
    assert "password" not in first[1]
    assert second[1] == ""


@pytest.mark.long
def test_a_broken_database_and_a_dead_recorder_cost_one_line(checkout: Path, start: Start) -> None:
    kill = (
        "import psutil; [each.kill() for each in psutil.Process().children()];"
        " time.sleep(0.2); run.metrics({'loss': 1.0}); run.metrics({'loss': 2.0})"
    )
    code, said = done(start(kill))
    assert code == 0
    assert said.count("\n") == 1
    assert "the recorder ended before its stage" in said
    (checkout / "mlruns" / "mlflow.db").write_bytes(b"no database" * 1000)
    code, said = done(start("run.metrics({'loss': 1.0})"))
    assert code == 0
    assert said.count("\n") == 1
    assert "mlflow.db: MLflow cannot be asked" in said and "move it away" in said
    assert (checkout / "results" / "ingest.json").exists()


def test_stages_of_one_pipeline_share_a_parent_that_shows_skipped_stages(
    checkout: Path, start: Start, pipeline: "subprocess.Popen[str]"
) -> None:
    for name, number in [
        ("ingest", 1),
        ("train-per-fold/lite0/0", 2),
        ("train-per-fold/gone/0", 9),
    ]:
        path = checkout / "results" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"number": {number}}}')
    names = {"DVC_EXP_NAME": "plump-newt", "DVC_EXP_BASELINE_REV": "abc"}
    body = "run.metrics({'number': 3})"
    stage = start(body, "train-per-fold", "lite0", "1", **under(pipeline, **names))
    assert done(stage) == (0, "")
    parent = recorded(checkout)["pipeline"]
    assert parent.info.run_name == "plump-newt"
    assert parent.info.status == "RUNNING"
    assert parent.data.tags["dvc.baseline"] == "abc"
    # Stages above the first that runs are as DVC wants them; the others may yet change.
    assert parent.data.metrics == {"ingest/number": 1, "train-per-fold/lite0/1/number": 3}
    assert done(start(body, "submit", **under(pipeline, **names))) == (0, "")
    pipeline.kill()
    found = runs(checkout)
    assert set(found) == {"pipeline", "train-per-fold lite0 1", "submit"}
    assert found["pipeline"].info.status == "FINISHED"
    assert found["pipeline"].data.metrics == {
        "ingest/number": 1,
        "train-per-fold/lite0/0/number": 2,
        "train-per-fold/lite0/1/number": 3,
        "submit/number": 3,
    }


def test_the_record_holds_what_dvc_wrote_after_the_last_stage(
    repository: Path, start: Start, pipeline: "subprocess.Popen[str]"
) -> None:
    assert done(start("run.metrics({'number': 3})", **under(pipeline))) == (0, "")
    (repository / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (repository / "results/late.json").write_text("{}")
    pipeline.kill()
    parent = runs(repository)["pipeline"]
    client = client_of(repository)
    folder = Path(client.download_artifacts(parent.info.run_id, "record"))
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    same = {"params.yaml", "dvc.yaml", "dvc.lock", "results/ingest.json", "results/late.json"}
    assert names == same | {"environment.json"}
    for name in same:
        assert (folder / name).read_bytes() == (repository / name).read_bytes()
    facts = json.loads((folder / "environment.json").read_text())
    assert facts["packages"]["mlflow"] and facts["torch"]["version"] and facts["threads"]["cpus"]
    assert parent.data.tags["seed"] == parent.data.params["base.seed"]


def test_the_patch_restores_a_dirty_tree_with_its_new_files(
    repository: Path, start: Start, tmp_path: Path
) -> None:
    (repository / "dvc.yaml").write_text(DVC_YAML + "# changed\n")
    (repository / "new.bin").write_bytes(bytes(range(256)))
    (repository / "params.yaml").rename(repository / "moved.yaml")
    (repository / "params.yaml").write_text((repository / "moved.yaml").read_text() + "# dirty\n")
    before = git(repository, "status", "--porcelain")
    assert done(start("pass")) == (0, "")
    assert git(repository, "status", "--porcelain") == before
    parent = runs(repository)["pipeline"]
    client = client_of(repository)
    patch = Path(client.download_artifacts(parent.info.run_id, "record/changes.patch"))
    digest = "sha256:" + hashlib.sha256(patch.read_bytes()).hexdigest()
    assert parent.data.tags["patch"] == digest
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository), str(clone))
    git(clone, "checkout", "--quiet", parent.data.tags["mlflow.source.git.commit"])
    git(clone, "apply", str(patch))
    for name in ("dvc.yaml", "new.bin", "params.yaml", "moved.yaml"):
        assert (clone / name).read_bytes() == (repository / name).read_bytes()


@pytest.mark.long
def test_a_run_left_open_by_a_power_cut_is_swept(checkout: Path, start: Start) -> None:
    assert done(start("pass")) == (0, "")
    client = client_of(checkout)
    left = runs(checkout)["ingest"].info.run_id
    gone = subprocess.Popen(["true"])
    gone.wait()
    client.set_tag(left, "recorder.pid", str(gone.pid))
    client.set_tag(left, "recorder.identity", "0")
    client.update_run(left, status="RUNNING")
    assert done(start("pass")) == (0, "")
    assert "pipeline" in runs(checkout)  # once the recorder is done
    swept = client.get_run(left)
    assert swept.info.status == "KILLED"
    assert not {"recorder.pid", "recorder.identity"} & set(swept.data.tags)


def test_two_stages_at_once_share_one_recorder(
    checkout: Path, start: Start, pipeline: "subprocess.Popen[str]"
) -> None:
    both = [
        start("run.metrics({'loss': 1.0})", "train-per-fold", "lite0", fold, **under(pipeline))
        for fold in "01"
    ]
    assert [done(each) for each in both] == [(0, ""), (0, "")]
    assert len(list((checkout / "mlruns").glob(".recorder-*.lock"))) == 1
    pipeline.kill()
    found = runs(checkout)
    assert set(found) == {"pipeline", "train-per-fold lite0 0", "train-per-fold lite0 1"}
    assert {each.info.status for each in found.values()} == {"FINISHED"}


@pytest.mark.long
def test_two_pipelines_at_once_make_a_new_database(checkout: Path, start: Start) -> None:
    (checkout / "mlruns" / "mlflow.db").unlink()
    both = [start("run.metrics({'loss': 1.0})", name) for name in ("ingest", "submit")]
    assert [done(each) for each in both] == [(0, ""), (0, "")]
    found = runs(checkout)
    assert set(found) == {"pipeline", "ingest", "submit"}
    assert {each.info.status for each in found.values()} == {"FINISHED"}


def test_in_a_temporary_copy_the_store_stays_with_the_main_checkout(
    checkout: Path, start: Start, tmp_path: Path
) -> None:
    main = tmp_path / "main"
    (main / "mlruns").mkdir(parents=True)
    (checkout / "mlruns" / "mlflow.db").rename(main / "mlruns" / "mlflow.db")
    assert done(start("run.artifact(Path('dvc.yaml'))", DVC_ROOT=str(main))) == (0, "")
    assert runs(main)["ingest"].info.status == "FINISHED"
    copy = next((main / "mlruns" / "artifacts").rglob("dvc.yaml"))
    assert copy.read_text() == DVC_YAML
    assert not any((checkout / "mlruns").iterdir())


@pytest.mark.long
def test_a_database_of_an_older_mlflow_is_upgraded_after_a_copy(
    checkout: Path, start: Start
) -> None:
    write_old_store(checkout)
    assert done(start("run.metrics({'loss': 1.0})")) == (0, "")
    assert runs(checkout)["ingest"].info.status == "FINISHED"
    kept = client_of(checkout).search_runs(["1"], "attributes.run_name = 'old run'")
    assert [each.data.metrics for each in kept] == [{"score": 0.5}]
    copy = next((checkout / "mlruns").glob("before-mlflow-*.db"))
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM runs").fetchall() == [("old run",)]
