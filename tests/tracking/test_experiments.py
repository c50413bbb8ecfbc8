"""Rows for experiments that no recorder saw; tests/pipeline has DVC's real ones."""

import json
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.plumbing.errors import InputError
from saltseg.project.code_state import SYNCED, code_patch
from saltseg.project.dvc_experiments import Experiment, list_experiments
from saltseg.project.run_files import files_of_commit
from saltseg.tracking.address import store_uri
from saltseg.tracking.experiments import sync_experiments
from saltseg.tracking.run_content import RECORD, log_files
from saltseg.tracking.store import open_client, open_experiment
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout

PIPELINE = {"stages": {"ingest": {"cmd": "true"}}}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository with one stage, and the references that DVC gives an experiment."""
    checkout = Checkout(tmp_path)
    write(checkout, seed=1, crops=10)
    (tmp_path / ".gitignore").write_text("mlruns\n")
    checkout.succeed("git", "init", "--quiet", "--initial-branch", "main")
    checkout.commit("Baseline")
    add_experiment(checkout, "one", seed=2, crops=20)
    baseline = checkout.succeed("git", "rev-parse", "HEAD").strip()
    checkout.succeed("git", "update-ref", "refs/exps/stash", baseline)
    checkout.succeed("git", "update-ref", "refs/exps/exec/EXEC_HEAD", baseline)
    return checkout


def write(checkout: Checkout, seed: int, crops: int) -> None:
    params = shrunk_content() | {"base": {"seed": seed}}
    (checkout.root / "results").mkdir(exist_ok=True)
    (checkout.root / "params.yaml").write_text(yaml.safe_dump(params))
    (checkout.root / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    (checkout.root / "results/ingest.json").write_text(json.dumps({"crops": crops}))


def add_experiment(checkout: Checkout, name: str, seed: int, crops: int) -> None:
    """Commit other parameters where DVC keeps an experiment, and return to the baseline."""
    baseline = checkout.succeed("git", "rev-parse", "HEAD").strip()
    write(checkout, seed, crops)
    (checkout.root / ".dvc/tmp").mkdir(parents=True)
    (checkout.root / ".dvc/tmp/repro.dat").write_text(name)  # DVC commits how it was called
    checkout.commit(name)
    reference = f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}"
    checkout.succeed("git", "update-ref", reference, "HEAD")
    checkout.succeed("git", "reset", "--quiet", "--hard", baseline)


def rows(checkout: Checkout) -> dict[str, Run]:
    client = MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db")
    places = [place.experiment_id for place in client.search_experiments()]
    found = client.search_runs(places)
    assert len({run.info.run_name for run in found}) == len(found)
    return {run.info.run_name or "": run for run in found}


def test_an_experiment_without_a_row_gets_one_with_its_whole_record(checkout: Checkout) -> None:
    assert sync_experiments(checkout.root) == (["one"], ["one"])
    run = rows(checkout)["one"]
    assert run.info.status == "FINISHED"
    assert run.data.params["base.seed"] == run.data.tags["seed"] == "2"
    assert run.data.metrics == {"ingest/crops": 20}
    record = checkout.root / "mlruns/artifacts" / run.info.run_id / "artifacts/record"
    assert {path.name for path in record.iterdir()} == {
        "changes.patch",
        "dvc.yaml",
        "params.yaml",
        "results",
    }
    checkout.succeed("git", "apply", str(record / "changes.patch"))
    assert yaml.safe_load((checkout.root / "params.yaml").read_text())["base"]["seed"] == 2


def test_a_second_call_adds_only_what_is_new(checkout: Checkout) -> None:
    sync_experiments(checkout.root)
    assert sync_experiments(checkout.root) == ([], ["one"])
    add_experiment(checkout, "two", seed=3, crops=30)
    made, known = sync_experiments(checkout.root)
    assert made == ["two"] and set(known) == set(rows(checkout)) == {"one", "two"}


def test_an_experiment_that_took_another_s_name_is_another(checkout: Checkout) -> None:
    sync_experiments(checkout.root)
    old = rows(checkout)["one"].info.run_id
    (experiment,) = list_experiments(checkout.root)
    reference = f"refs/exps/{experiment.baseline[:2]}/{experiment.baseline[2:]}"
    checkout.succeed("git", "update-ref", f"{reference}/first", experiment.revision)
    add_experiment(checkout, "one", seed=4, crops=40)
    assert sync_experiments(checkout.root)[0] == ["one"]
    assert rows(checkout)["first"].info.run_id == old
    assert rows(checkout)["one"].data.metrics == {"ingest/crops": 40}


def test_a_row_that_is_being_recorded_is_not_doubled(checkout: Checkout) -> None:
    sync_experiments(checkout.root)
    run = rows(checkout)["one"].info.run_id
    client = MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db")
    for tag in (SYNCED, "dvc.revision"):  # so that it looks like one of a recorder
        client.delete_tag(run, tag)
    client.update_run(run, status="RUNNING")
    assert sync_experiments(checkout.root)[0] == []


def test_an_incomplete_run_is_created_again(checkout: Checkout) -> None:
    sync_experiments(checkout.root)
    left = rows(checkout)["one"].info.run_id
    client = MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db")
    client.update_run(left, status="RUNNING")
    assert sync_experiments(checkout.root)[0] == ["one"]
    run = rows(checkout)["one"]
    assert (run.info.run_id != left, run.info.status) == (True, "FINISHED")
    assert sync_experiments(checkout.root)[0] == []


def test_a_row_that_cannot_be_made_whole_is_not_left_half_made(checkout: Checkout) -> None:
    (checkout.root / "mlruns").mkdir()
    in_the_way = checkout.root / "mlruns/artifacts"
    in_the_way.write_text("no folder")
    with pytest.raises(InputError, match="MLflow cannot be asked"):
        sync_experiments(checkout.root)
    assert rows(checkout) == {}
    in_the_way.unlink()
    assert sync_experiments(checkout.root)[0] == ["one"]


@pytest.mark.parametrize("same", [True, False])
def test_a_run_that_was_saved_as_an_experiment_gets_its_name(
    checkout: Checkout, same: bool
) -> None:
    (experiment,) = list_experiments(checkout.root)
    files = files_of_commit(checkout.root, experiment.revision)
    del files["results/ingest.json"]  # as of a commit that does not know them yet
    write(checkout, seed=2, crops=20)
    patch = code_patch(checkout.root)
    checkout.succeed("git", "checkout", "--quiet", ".")
    run = record(checkout, files if same else files | {"dvc.lock": b"x"}, experiment, patch.tags())
    assert sync_experiments(checkout.root) == ([] if same else ["one"], ["one"])
    found = rows(checkout)
    assert set(found) == ({"one"} if same else {"one", "main"})
    assert (found["one"].info.run_id == run) == same
    tags = found["one"].data.tags
    assert (tags["dvc.baseline"], tags["dvc.revision"]) == (
        experiment.baseline,
        experiment.revision,
    )
    assert sync_experiments(checkout.root)[0] == []


def record(
    checkout: Checkout, files: dict[str, bytes], experiment: Experiment, patch: dict[str, str]
) -> str:
    """Make the row of a plain `dvc repro`, which left `files`; return its id."""
    folder = checkout.root / "mlruns"
    folder.mkdir()
    uri = store_uri(folder)
    client = open_client(uri, folder)
    tags = {"mlflow.source.git.commit": experiment.baseline, **patch}
    run = client.create_run(open_experiment(client, uri, folder), tags=tags, run_name="main")
    log_files(client, run.info.run_id, files, RECORD)
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def test_it_is_called_in_the_project_s_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no dvc\.yaml; run this in the project's folder"):
        sync_experiments(tmp_path)
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.parametrize("content", ["base: {}", "base:", "", "base: ["])
def test_an_experiment_of_other_parameters_is_named(checkout: Checkout, content: str) -> None:
    baseline = checkout.succeed("git", "rev-parse", "HEAD").strip()
    (checkout.root / "params.yaml").write_text(content)
    checkout.commit("foreign")
    reference = f"refs/exps/{baseline[:2]}/{baseline[2:]}/foreign"
    checkout.succeed("git", "update-ref", reference, "HEAD")
    with pytest.raises(InputError, match=r"experiment foreign: its params\.yaml has no base\.seed"):
        sync_experiments(checkout.root)
