"""The store as a command meets it: of another MLflow, out of reach, damaged, held by another."""

import re
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock
from mlflow.exceptions import MlflowException
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.plumbing.errors import InputError, without_password
from saltseg.project.health import State
from saltseg.project.registered_model import CHAMPION, NAME
from saltseg.tracking.address import server_uri, store_uri
from saltseg.tracking.archive import Archive
from saltseg.tracking.durations import Durations
from saltseg.tracking.experiments import sync_experiments
from saltseg.tracking.migration import upgrade
from saltseg.tracking.reachability import check_store
from saltseg.tracking.registry import champion, fetched_model, make_champion, register
from saltseg.tracking.store import open_experiment, open_store, reached_store
from tests.conftest import PROJECT
from tests.helpers.limited_files import files_limited
from tests.helpers.store_questions import ask_for_champion, fetch_champion, log_a_table
from tests.tracking.conftest import write_old_store

DEAD = "http://user:password@127.0.0.1:9"


@pytest.fixture
def dead(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose server is not there."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", DEAD)
    return checkout


@pytest.mark.parametrize("ask", [ask_for_champion, fetch_champion, log_a_table, sync_experiments])
def test_a_dead_server_is_one_line_that_says_what_to_do(
    dead: Path, ask: Callable[[Path], object]
) -> None:
    with pytest.raises(InputError) as raised:
        ask(dead)
    said = str(raised.value)
    assert "http://127.0.0.1:9: MLflow cannot be asked (" in said
    assert "start its server, or unset MLFLOW_TRACKING_URI" in said
    assert "password" not in said and "\n" not in said


def test_a_database_whose_driver_is_missing_is_one_line(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mysql+pymysql://user:password@127.0.0.1:9/runs")
    with pytest.raises(InputError, match="MLflow cannot be asked") as raised:
        ask_for_champion(checkout)
    assert "pymysql" in str(raised.value) and "unset MLFLOW_TRACKING_URI" in str(raised.value)


def test_without_its_server_no_stage_has_a_known_duration(dead: Path) -> None:
    assert Durations(dead, ["ingest"]).runs == []


def test_none_is_champion_before_one_is_promoted(checkout: Path) -> None:
    assert champion(open_store(checkout / "mlruns")) is None
    with pytest.raises(InputError, match="MLflow has no such model"):
        fetch_champion(checkout)


def test_models_are_in_the_store_of_the_runs_whatever_registry_is_set(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", DEAD)
    client = open_store(checkout / "mlruns")
    assert champion(client) is None
    place = experiment_of(checkout)
    run = client.create_run(place).info.run_id
    client.log_text(run, "kept", "record/dvc.lock")
    model = client.create_logged_model(place, NAME, run).model_id
    client.log_model_artifacts(model, str(checkout / "mlruns/artifacts" / run))
    make_champion(client, register(client, run, model, {}))
    with fetched_model(CHAMPION, checkout) as folder:
        assert any(folder.rglob("dvc.lock"))


def test_what_another_process_holds_is_named(checkout: Path) -> None:
    lock = checkout / "mlruns/.lock"
    with (
        FileLock(lock),
        pytest.raises(InputError, match=r"mlruns/\.lock: is held by another process"),
        reached_store(checkout / "mlruns"),
        FileLock(lock, timeout=0),
    ):
        pass


def test_a_database_that_another_process_writes_to_is_left_where_it_is(checkout: Path) -> None:
    folder = checkout / "mlruns"
    with (
        closing(sqlite3.connect(folder / "mlflow.db", isolation_level=None)) as writer,
        closing(sqlite3.connect(folder / "mlflow.db", timeout=0)) as waiting,
        pytest.raises(InputError, match="database is locked") as raised,
        reached_store(folder),
    ):
        writer.execute("BEGIN EXCLUSIVE")
        waiting.execute("SELECT * FROM runs")
    assert "another process is writing to it; try again" in str(raised.value)
    assert "move it away" not in str(raised.value)


def test_what_is_no_damage_moves_no_database(checkout: Path) -> None:
    with (
        pytest.raises(InputError, match="MLflow cannot be asked") as raised,
        reached_store(checkout / "mlruns"),
    ):
        raise MlflowException("something else")
    assert str(raised.value).endswith("); try again")


def test_a_folder_that_cannot_be_written_to_is_one_line(checkout: Path) -> None:
    (checkout / "mlruns/.lock").mkdir()  # as hard to open as a file on a read-only disk
    for ask in (ask_for_champion, fetch_champion, log_a_table, sync_experiments):
        with pytest.raises(InputError, match=r"mlflow\.db: MLflow cannot be asked") as raised:
            ask(checkout)
        assert "mlruns/.lock" in str(raised.value) and "permissions" in str(raised.value)
    assert check_store(checkout).state is State.NEEDED


def test_a_damaged_database_is_one_line(checkout: Path) -> None:
    (checkout / "mlruns/mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match=r"mlflow\.db: MLflow cannot be asked .* move it away"):
        sync_experiments(checkout)


def test_nobody_goes_past_the_guard_for_databases_of_another_mlflow() -> None:
    package = PROJECT / "src/saltseg"
    opening = [path for path in package.rglob("*.py") if "MlflowClient(" in path.read_text()]
    assert opening == [package / "tracking/store.py"]


@pytest.mark.slow
def test_a_question_upgrades_a_database_of_an_older_mlflow_after_a_copy(checkout: Path) -> None:
    write_old_store(checkout)
    with closing(sqlite3.connect(checkout / "mlruns/mlflow.db")) as connection:
        ((run,),) = connection.execute("SELECT run_uuid FROM runs").fetchall()
    assert Archive(checkout / "mlruns").with_id(run[:8]) == [run]
    (copy,) = (checkout / "mlruns").glob("before-mlflow-*.db")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM runs").fetchall() == [("old run",)]


def test_a_copy_that_breaks_off_is_not_taken_for_a_whole_one(checkout: Path) -> None:
    write_old_store(checkout)
    with files_limited(), pytest.raises(sqlite3.OperationalError):
        upgrade(checkout / "mlruns/mlflow.db")
    assert [path.name for path in (checkout / "mlruns").iterdir()] == ["mlflow.db"]


@pytest.mark.slow
def test_a_database_of_a_newer_mlflow_is_one_line(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(checkout / "mlruns/mlflow.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of_tomorrow'")
        connection.commit()
    monkeypatch.chdir(checkout)
    done = CliRunner().invoke(app, ["verify", "HEAD"])
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "mlruns/mlflow.db: is of another MLflow version (" in done.output
    assert "of_tomorrow" in done.output


def test_every_content_that_an_upgrade_may_harm_has_a_backup(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = checkout / "mlruns/mlflow.db"
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # every upgrade fails, at once
    for content, end in [("one", ""), ("one", ""), ("two", "-2"), ("two", "-2"), ("three", "-3")]:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("UPDATE experiments SET name = ? WHERE name != ?", [content] * 2)
            connection.commit()
        with pytest.raises(InputError, match=rf"before-mlflow-[\d.]+{end}\.db is a backup"):
            upgrade(database)
    held = set()
    for copy in (checkout / "mlruns").glob("before-mlflow-*.db"):
        with closing(sqlite3.connect(copy)) as connection:
            held |= set(connection.execute("SELECT name FROM experiments").fetchall())
    assert held == {("one",), ("two",), ("three",)}


@pytest.mark.parametrize("take", [shutil.move, shutil.copytree])
def test_a_store_that_was_moved_or_copied_finds_its_artifacts_beside_it(
    checkout: Path, tmp_path: Path, take: Callable[[Path, Path], object]
) -> None:
    client = open_store(checkout / "mlruns")
    place = experiment_of(checkout)
    own = client.create_experiment("own", (tmp_path / "own").as_uri())
    run = client.create_run(place).info.run_id
    client.log_text(run, "kept", "record/dvc.lock")
    model = client.create_logged_model(place, NAME, run).model_id
    client.log_model_artifacts(model, str(checkout / "mlruns/artifacts" / run))
    register(client, run, model, {})

    there = tmp_path / "there"
    take(checkout, there)
    client = open_store(there / "mlruns")
    assert Archive(there / "mlruns").open(run).files == {"dvc.lock": b"kept"}
    with fetched_model(f"models:/{NAME}/1", there) as folder:
        assert folder.is_relative_to(there) and any(folder.rglob("dvc.lock"))
    new = client.create_run(experiment_of(there)).info
    assert new.experiment_id == place and new.artifact_uri.startswith(there.as_uri())
    assert client.get_experiment(own).artifact_location == (tmp_path / "own").as_uri()


@pytest.mark.parametrize("name", ["50%20x", "what?", "C#", "ü é", "a&b=c; 'd'"])
def test_a_folder_of_any_name_has_its_own_store_and_finds_it_after_a_move(
    checkout: Path, tmp_path: Path, name: str
) -> None:
    root, there = tmp_path / name, tmp_path / "moved" / name[::-1]
    checkout.rename(root)
    client = open_store(root / "mlruns")
    run = client.create_run(experiment_of(root)).info.run_id
    client.log_text(run, "kept", "record/dvc.lock")
    model = client.create_logged_model(experiment_of(root), NAME, run).model_id
    client.log_model_artifacts(model, str(root / "mlruns/artifacts" / run))
    register(client, run, model, {})
    assert (root / "mlruns/artifacts" / run / "artifacts/record/dvc.lock").read_text() == "kept"

    there.parent.mkdir()
    root.rename(there)
    assert Archive(there / "mlruns").with_id(run[:8]) == [run]
    assert Archive(there / "mlruns").open(run).files == {"dvc.lock": b"kept"}
    with fetched_model(f"models:/{NAME}/1", there) as folder:
        assert folder.is_relative_to(there) and any(folder.rglob("dvc.lock"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moved"]


def test_a_deleted_experiment_is_brought_back_with_its_history(checkout: Path) -> None:
    client = open_store(checkout / "mlruns")
    run = client.create_run(experiment_of(checkout)).info.run_id
    client.delete_experiment(experiment_of(checkout))
    with pytest.raises(InputError, match="was deleted, with its runs; bring it back") as raised:
        sync_experiments(checkout)
    (identity,) = re.findall(r"--experiment-id (\d+)'", str(raised.value))
    client.restore_experiment(identity)
    assert sync_experiments(checkout) == ([], [])
    assert client.get_run(run).info.lifecycle_stage == "active"


@pytest.mark.parametrize("uri", ["./x", "garbage://", "garbage://host", "file:///x", "sqlite", "x"])
def test_what_is_no_address_of_a_store_is_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for ask in (ask_for_champion, fetch_champion, log_a_table, sync_experiments):
        with pytest.raises(InputError, match="is not a store's address; give http") as raised:
            ask(checkout)
        assert f"MLFLOW_TRACKING_URI: {uri!r} " in str(raised.value)
    assert Durations(checkout, ["ingest"]).runs == []
    assert not (checkout / "x").exists()


@pytest.mark.parametrize("start", ["postgres://", "https//", "https:/", "https:", "https:\\\\", ""])
@pytest.mark.parametrize("secret", ["s3cret", "s3/cret", "s3@cret", "s3:cret"])
def test_a_password_in_what_is_no_address_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, start: str, secret: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{start}joe:{secret}@db.example.org/mlflow")
    with pytest.raises(InputError, match="is not a store's address") as raised:
        server_uri()
    assert "db.example.org/mlflow' is not" in str(raised.value)
    assert "cret" not in str(raised.value) and "s3" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["models:/saltseg@champion", "train-per-fold@lite0-0", "http://host:1/x", "ask joe@x.y"]
)
def test_what_is_no_password_is_shown(text: str) -> None:
    assert without_password(f"see {text}.") == f"see {text}."


@pytest.mark.parametrize("uri", ["", " ", "\t"])
def test_a_blank_address_is_none(checkout: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert sync_experiments(checkout) == ([], [])


def experiment_of(root: Path) -> str:
    folder = root / "mlruns"
    return open_experiment(open_store(folder), store_uri(folder), folder)
