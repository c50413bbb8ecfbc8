"""`saltseg ablate` in a real repository, whose pipeline has run: nothing is trained again."""

import json
import re
import shutil

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from saltseg.project.run_files import files_of_commit
from saltseg.tracking import wait_for_recorders
from tests.helpers.checkout import Checkout

pytestmark = [pytest.mark.slow, pytest.mark.long]

EVERYWHERE = "threshold_search.low=0.0 & threshold_search.high=0.01"
"""Thresholds that take almost every pixel for salt, whatever the networks learned."""

COMMAND = (
    "saltseg", "ablate", "shrunk", "--vary", EVERYWHERE, "--vary", "snapshot_ensemble.flip=true",
    "--out", "tables/ablation.md",
)  # fmt: skip


@pytest.fixture(scope="module")
def checkout(
    twins: tuple[Checkout, Checkout], tmp_path_factory: pytest.TempPathFactory
) -> Checkout:
    """A copy of a repository in which the pipeline has run, with MLflow's record of it."""
    root = tmp_path_factory.mktemp("ablation") / "checkout"
    wait_for_recorders(twins[1].root / "mlruns")
    shutil.copytree(twins[1].root, root, symlinks=True)
    checkout = Checkout(root)
    checkout.commit("What the pipeline made")
    return checkout


@pytest.fixture(scope="module")
def said(checkout: Checkout) -> str:
    """The table, and what the command says while it runs."""
    return checkout.succeed(*COMMAND)


def experiments(checkout: Checkout) -> list[str]:
    return sorted(checkout.succeed("dvc", "exp", "list", "--name-only").split())


def score(checkout: Checkout, start: str, name: str = "score") -> float:
    """Return a score that an experiment's commit has: the nested one, or another by `name`."""
    (own,) = (each for each in experiments(checkout) if each.startswith(f"ablate-{start}-seed"))
    reference = checkout.succeed(
        "git", "for-each-ref", "--format=%(refname)", f"refs/exps/**/{own}"
    )
    path = "results/postprocess-connected-components.json"
    return float(json.loads(files_of_commit(checkout.root, reference.strip())[path])[name])


def runs(checkout: Checkout, place: str) -> list[Run]:
    client = MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db")
    found = client.get_experiment_by_name(place)
    assert found is not None
    return list(client.search_runs([found.experiment_id]))


def cells(table: str, variant: str) -> list[str]:
    (line,) = (line for line in table.splitlines() if line.startswith(f"| {variant} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_only_what_a_change_touches_runs(checkout: Checkout, said: str) -> None:
    run = set(re.findall(r"Running stage '([^']+)'", said))
    assert run == {"threshold-search", "postprocess-connected-components"}
    assert len(experiments(checkout)) == 2  # flip=true is the base's own
    assert checkout.succeed("git", "status", "--porcelain") == "?? tables/\n"


def test_the_table_tells_differences_of_the_pipeline_s_own_scores(
    checkout: Checkout, said: str
) -> None:
    table = (checkout.root / "tables/ablation.md").read_text()
    assert said.startswith(table)
    base, mean = (score(checkout, "shrunk", name) for name in ("score", "score_over_thresholds"))
    of_base = cells(table, "shrunk, the base")
    assert (of_base[2], of_base[7]) == (f"{mean:.4f}", f"{base:.4f}")
    assert of_base[3:7] == ["", "", "", ""] and of_base[8] == ""
    changed = score(checkout, "low-0-0-high-0-01")
    told = cells(table, f"`{EVERYWHERE}`")
    assert told[7] == f"{changed:.4f}" and told[8].startswith(f"{changed - base:+.4f}, ")
    assert changed < base
    # Where thresholds are searched does not change the mean over fixed ones.
    assert told[1:4] == [*of_base[1:3], "+0.0000"]
    assert all(" to " in interval for interval in (*told[5:7], told[8]))


def test_the_cost_of_a_cached_training_is_that_of_its_run(checkout: Checkout, said: str) -> None:
    stages = ("pseudolabel", "train-per-fold")
    trained = [run for run in runs(checkout, "saltseg") if run.data.tags.get("dvc.stage") in stages]
    assert len(trained) == 4
    seconds = sum(run.info.end_time - run.info.start_time for run in trained) / 1000
    (run,) = runs(checkout, "saltseg-ablations")
    names = [name for name in run.data.metrics if name.endswith(".training_seconds")]
    assert len(names) == 2
    for name in names:
        assert run.data.metrics[name] == pytest.approx(seconds)


def test_mlflow_keeps_the_table_and_a_row_of_each_experiment(checkout: Checkout, said: str) -> None:
    (run,) = runs(checkout, "saltseg-ablations")
    assert run.data.params["base"] == "shrunk" and run.info.status == "FINISHED"
    place = checkout.root / "mlruns/artifacts" / run.info.run_id / "artifacts"
    assert (place / "ablation.md").read_text() == (checkout.root / "tables/ablation.md").read_text()
    base, everywhere = json.loads((place / "ablation.json").read_text())["rows"]
    difference = everywhere["searched_score"] - base["searched_score"]
    assert everywhere["searched_difference"] == pytest.approx(difference)
    assert everywhere["difference"] == 0
    for pairs in (everywhere["pairs"], everywhere["searched_pairs"]):
        assert [pair["fold"] for pair in pairs] == [0, 1]
    assert everywhere["searched_difference"] in run.data.metrics.values()
    rows = {each.data.tags.get("dvc.experiment") for each in runs(checkout, "saltseg")}
    assert set(experiments(checkout)) <= rows


def test_what_is_there_does_not_run_again(checkout: Checkout, said: str) -> None:
    table = (checkout.root / "tables/ablation.md").read_text()
    (changed,) = (name for name in experiments(checkout) if "low-0-0" in name)
    checkout.succeed("dvc", "exp", "remove", changed)
    (checkout.root / "docs/survey.md").write_text("A change that no stage reads.\n")
    refused = checkout.run(*COMMAND)
    assert refused.returncode == 1
    assert "tables/ablation.md: is there from" in refused.stderr
    again = checkout.succeed(*COMMAND, "--force")
    assert again.count("Reproducing experiment") == 1
    assert "Running stage" not in again  # its stages come from the cache
    assert again.startswith(table)
