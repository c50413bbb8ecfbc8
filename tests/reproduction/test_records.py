"""Records looked up by id, name and revision, and what they may lack."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.plumbing.errors import InputError
from saltseg.project.code_state import SYNCED
from saltseg.reproduction.records import RunRecord, find_record
from saltseg.tracking.durations import Durations
from saltseg.tracking.registry import open_registry
from tests.helpers.records import git, record_run


def test_a_run_is_found_by_the_start_of_its_id_and_by_a_stage_s_run(repository: Path) -> None:
    run = record_run(repository)
    client = MlflowClient(f"sqlite:///{repository}/mlruns/mlflow.db")
    experiment = client.get_run(run).info.experiment_id
    child = client.create_run(experiment, tags={"mlflow.parentRunId": run}).info.run_id
    for reference in (run, run[:7], child):
        found = find_record(reference, repository)
        assert found.run_id == run
        assert found.lacks() == []
        assert found.environment == {"python": "3.11.7"}
        assert found.metrics == {"ingest/score": 0.5}


def test_stages_of_an_earlier_list_are_left_out(repository: Path) -> None:
    assert list(find_record("HEAD", repository).lock) == ["ingest", "train-per-fold@lite0-0"]


def test_a_record_says_which_stages_it_never_came_to(repository: Path) -> None:
    record = find_record("HEAD", repository)
    assert record.gap == "; it did not reach 1 of its 3 stages: submit"
    lock = yaml.safe_dump({"stages": {**record.lock, "submit": {"cmd": "x"}}}).encode()
    assert replace(record, files=record.files | {"dvc.lock": lock}).gap == ""


def test_an_experiment_is_found_by_name_with_its_environment(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "update-ref", f"refs/exps/{commit[:2]}/{commit[2:]}/brave-fox", commit)
    bare = find_record("brave-fox", repository)
    assert (bare.run_id, bare.commit, bare.environment) == (None, commit, None)
    other = {"dvc.experiment": "brave-fox", "dvc.revision": "0" * 40}
    record_run(repository, **other)  # the name was used before, for another commit
    assert find_record("brave-fox", repository).run_id is None
    run = record_run(repository, **other | {"dvc.revision": commit})
    assert find_record("brave-fox", repository).run_id == run


def test_an_experiment_that_git_has_forgotten_lives_on_in_mlflow(repository: Path) -> None:
    run = record_run(repository, **{"dvc.experiment": "old-owl", "dvc.revision": "0" * 40})
    assert find_record("old-owl", repository).run_id == run


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml", "dvc.lock", "requirements.lock"])
def test_a_file_that_the_record_lacks_is_named(repository: Path, name: str) -> None:
    assert find_record(record_run(repository, leave_out=name), repository).lacks() == [name]


def test_a_patch_has_to_be_there_whole(repository: Path) -> None:
    record = find_record(record_run(repository, **{"git.dirty": "true"}), repository)
    assert record.lacks() == ["changes.patch, though its tree was dirty"]
    digest = "sha256:" + hashlib.sha256(b"diff").hexdigest()
    tags = {"git.dirty": "true", "patch": digest, "patch.omitted": ""}
    assert replace(record, patch=b"diff", tags=tags).lacks() == []
    (missing,) = replace(record, patch=b"dif", tags=tags).lacks()
    assert "hash" in missing
    (missing,) = replace(record, patch=b"diff", tags=tags | {"patch.omitted": "big.bin"}).lacks()
    assert "big.bin" in missing


def test_a_run_that_failed_or_has_no_commit_lacks_something(repository: Path) -> None:
    record = find_record("HEAD", repository)
    whole = replace(record, run_id="0" * 32, environment={"python": "3"}, tags={})
    assert whole.lacks() == []
    assert replace(whole, status="FAILED").lacks() == ["a finished pipeline (it is FAILED)"]
    assert replace(whole, environment=None).lacks() == ["environment.json"]
    assert replace(whole, environment=None, tags={SYNCED: "true"}).lacks() == []
    (missing,) = replace(whole, commit="").lacks()
    assert "commit" in missing


@pytest.mark.parametrize(
    ("reference", "words"),
    [("nobody", "not an MLflow run, a DVC experiment or"), ("ffffffff", "not an MLflow run")],
)
def test_an_unknown_reference_is_told_of(repository: Path, reference: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        find_record(reference, repository)


def test_what_git_cannot_read_does_not_seem_to_be_missing(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:dvc.lock")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(InputError, match=r"^git show: .*dvc\.lock"):
        find_record("HEAD", repository)


def test_a_commit_that_git_does_not_have_is_told_of(repository: Path) -> None:
    run = record_run(repository, **{"mlflow.source.git.commit": "1" * 40})
    with pytest.raises(InputError, match="1111 is not in this repository"):
        find_record(run, repository)


@pytest.mark.parametrize(
    "command",
    ["sync", "verify HEAD", "reproduce HEAD", "diff HEAD HEAD", "promote HEAD"],
)
def test_a_dead_server_is_one_line(
    repository: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.chdir(repository)
    done = CliRunner().invoke(app, command.split())
    assert (done.exit_code, done.output.count("\n")) == (1, 1), done.output
    assert "saltseg: http://127.0.0.1:9: MLflow cannot be asked (" in done.output


@pytest.mark.parametrize("server", [None, ""])
def test_a_question_makes_no_store(
    repository: Path, server: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if server is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    (repository / "mlruns/mlflow.db").unlink()
    assert find_record("HEAD", repository).run_id is None
    assert Durations(repository, ["ingest"]).runs == []
    with pytest.raises(InputError, match=r"mlflow\.db: no run is recorded here"):
        open_registry(repository)
    assert not list((repository / "mlruns").iterdir())


def test_a_short_name_says_what_it_stands_for() -> None:
    record = RunRecord("v1", "abcdef0123456789", {})
    assert record.name == "v1 (commit abcdef012345)"
    assert replace(record, reference="abcdef").name == "commit abcdef012345"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("params.yaml", b"a: [\x1b"),
        ("params.yaml", b"just words"),
        ("dvc.yaml", b"stages: 5"),
        ("dvc.yaml", b"no: stages"),
        ("dvc.lock", b"stages: {a: 5}"),
        ("results/ingest.json", b'{"sco'),
    ],
)
def test_a_damaged_part_of_a_record_is_one_line(name: str, content: bytes) -> None:
    whole = {"params.yaml": b"a: 1", "dvc.yaml": b"stages: {ingest: {cmd: x}}"}
    record = RunRecord("x", "1" * 40, whole | {name: content})
    with pytest.raises(InputError, match="is damaged") as raised:
        _ = record.lock, record.metrics
    assert "\n" not in str(raised.value) and name.partition("/")[0] in str(raised.value)
