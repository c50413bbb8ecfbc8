"""Experiments as DVC's users run them, in one real repository, and their rows in MLflow."""

import json
import shutil
import time
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.project.code_state import SYNCED
from saltseg.project.run_files import files_of_commit
from saltseg.tracking import wait_for_recorders
from tests.conftest import shrunk_content
from tests.helpers.checkout import Checkout, write_default_recipe

pytestmark = pytest.mark.long

COARSE = "# @package _global_\n# Few thresholds.\nthreshold_search:\n  count: 21\n"


@pytest.fixture(scope="module")
def checkout(
    twins: tuple[Checkout, Checkout], tmp_path_factory: pytest.TempPathFactory
) -> Checkout:
    """A repository with four experiments: in the workspace, two queued ones, one from the cache.

    It begins as a copy of one in which the pipeline has run; MLflow knows nothing of that.
    """
    root = tmp_path_factory.mktemp("experiments") / "checkout"
    shutil.copytree(twins[1].root, root, symlinks=True, ignore=_without_runs)
    checkout = Checkout(root)
    (root / "conf/recipe/coarse.yaml").write_text(COARSE)
    checkout.commit("What the pipeline made, and a recipe")
    run = ("dvc", "exp", "run", "--name")
    checkout.succeed(*run, "first", "-S", "threshold_search.count=61")
    checkout.succeed(*run, "fine", "--queue", "-S", "threshold_search.count=41")
    checkout.succeed(*run, "coarse", "--queue", "-S", "recipe=coarse", "-S", "submit.examples=9")
    checkout.succeed("dvc", "queue", "start", "--jobs", "2")
    wait_for_queue(checkout)
    checkout.succeed(*run, "again", "--temp", "-S", "threshold_search.count=61")
    wait_for_recorders(root / "mlruns")
    return checkout


def _without_runs(folder: str, names: list[str]) -> list[str]:
    """Leave MLflow's runs behind, and what DVC and git keep of running processes."""
    return [name for name in names if name in {"mlflow.db", "artifacts", "rwlock", "recorder.log"}]


def wait_for_queue(checkout: Checkout) -> None:
    """Wait until both workers are done with their experiments."""
    for _ in range(300):
        said = checkout.succeed("dvc", "queue", "status")
        assert "Failed" not in said
        if said.count("Success") == 2:
            return
        time.sleep(2)
    raise AssertionError(said)


def experiments(checkout: Checkout) -> dict[str, str]:
    """Return the revisions of the experiments that `dvc exp show` lists, by name."""
    shown = json.loads(checkout.succeed("dvc", "exp", "show", "--json"))
    found = [each for state in shown for each in state.get("experiments") or []]
    return {each["name"]: each["revs"][0]["rev"] for each in found}


def rows(checkout: Checkout) -> list[Run]:
    """Return MLflow's runs of experiments."""
    client = MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db")
    places = [place.experiment_id for place in client.search_experiments()]
    runs = client.search_runs(places, "tags.`dvc.experiment` != ''")
    return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]


def row(checkout: Checkout, name: str) -> Run:
    (found,) = (run for run in rows(checkout) if run.info.run_name == name)
    return found


def committed(checkout: Checkout, revision: str, path: str) -> str:
    """Return a file of an experiment: of its commit, or of DVC's cache."""
    return files_of_commit(checkout.root, revision)[path].decode()


def test_a_recipe_and_further_overrides_reach_a_queue_s_worker(checkout: Checkout) -> None:
    params = yaml.safe_load(committed(checkout, experiments(checkout)["coarse"], "params.yaml"))
    assert params["threshold_search"]["count"] == 21 and params["submit"]["examples"] == 9
    assert params["survey"] == shrunk_content()["survey"]


def test_two_workers_leave_a_whole_row_each(checkout: Checkout) -> None:
    for name, count in (("fine", "41"), ("coarse", "21")):
        run = row(checkout, name)
        revision = experiments(checkout)[name]
        result = json.loads(committed(checkout, revision, "results/submit.json"))
        assert run.info.status == "FINISHED"
        assert run.data.params["threshold_search.count"] == count
        assert run.data.tags["dvc.revision"] == revision
        assert run.data.metrics["submit/crops"] == result["crops"]


def test_what_came_from_the_cache_gets_its_row_by_sync_and_only_once(checkout: Checkout) -> None:
    assert {run.info.run_name for run in rows(checkout)} == {"first", "fine", "coarse"}
    assert "4 experiments in DVC, 1 new in MLflow: again" in checkout.succeed("saltseg", "sync")
    assert "0 new" in checkout.succeed("saltseg", "sync")
    assert sorted(run.info.run_name or "" for run in rows(checkout)) == sorted(
        experiments(checkout)
    )
    first, again = row(checkout, "first"), row(checkout, "again")
    assert again.data.metrics == first.data.metrics
    assert again.data.params == first.data.params
    assert SYNCED in again.data.tags and SYNCED not in first.data.tags
    checkout.succeed("saltseg", "verify", "again")


def test_a_row_follows_its_experiment_s_new_name(checkout: Checkout) -> None:
    checkout.succeed("saltseg", "sync")
    checkout.succeed("dvc", "exp", "rename", "fine", "finer")
    checkout.succeed("saltseg", "sync")
    assert {run.info.run_name for run in rows(checkout)} == set(experiments(checkout))
    checkout.succeed("dvc", "exp", "rename", "finer", "fine")
    checkout.succeed("saltseg", "sync")


def test_an_applied_experiment_is_reproduced_and_others_pull_it(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.succeed("dvc", "exp", "apply", "coarse")
    assert "count: 21" in (checkout.root / "params.yaml").read_text()
    assert "Running stage" not in checkout.succeed("dvc", "repro")
    checkout.commit("The experiment that is kept")
    checkout.succeed("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    checkout.succeed("dvc", "push")
    clone = Checkout(tmp_path / "clone")
    checkout.succeed("git", "clone", "--quiet", str(checkout.root), str(clone.root))
    clone.succeed("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    assert "Running stage" not in clone.succeed("dvc", "repro", "--pull")
    assert clone.outputs() == checkout.outputs()
    assert (clone.root / "data/submit/submission.csv").exists()


def test_an_experiment_starts_from_conf_and_not_from_an_edited_params_yaml(
    checkout: Checkout,
) -> None:
    """So DVC does it with Hydra; --no-hydra takes params.yaml as it stands."""
    write_default_recipe(checkout.root, shrunk_content())
    path = checkout.root / "params.yaml"
    path.write_text(path.read_text().replace("bootstrap: 50", "bootstrap: 60"))
    run = ("dvc", "exp", "run", "--temp", "ingest", "--name")
    checkout.succeed(*run, "edited", "--no-hydra", "-S", "submit.examples=10")
    checkout.succeed(*run, "composed", "-S", "submit.examples=10")
    found = experiments(checkout)
    for name, bootstrap in (("edited", 60), ("composed", 50)):
        params = yaml.safe_load(committed(checkout, found[name], "params.yaml"))
        assert params["threshold_search"]["bootstrap"] == bootstrap
        assert params["submit"]["examples"] == 10
