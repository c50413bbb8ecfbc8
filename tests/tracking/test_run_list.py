"""The list of runs: what MLflow's page shows of it at once, and where the page is."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from saltseg.plumbing.errors import InputError
from saltseg.tracking.run_list import KEY, address_of_runs, show_scores
from saltseg.tracking.run_origin import pipeline_origin
from saltseg.tracking.ui import free_port
from tests.conftest import PROJECT, shrunk_content


def test_an_experiment_gets_the_view_that_the_address_names(migrated: Path) -> None:
    client = MlflowClient(f"sqlite:///{migrated}")
    (place,) = client.search_experiments()
    show_scores(client, place.experiment_id)
    show_scores(client, place.experiment_id)
    tags = client.get_experiment(place.experiment_id).tags
    view = json.loads(tags[f"mlflow.sharedViewState.{KEY}"])
    assert view["selectedColumns"][0] == "metrics.`score`"
    assert address_of_runs("http://a:1", "7").endswith(f"/7/runs?{OPTIONS}")


OPTIONS = f"workflowType=machine_learning&viewStateShareKey={KEY}"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which another server listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_refused_and_a_free_one_found(taken: int) -> None:
    with pytest.raises(InputError, match=rf"^PORT={taken}: is in use"):
        free_port(taken)
    with pytest.raises(InputError, match=r"^PORT=99999: is in use or not allowed"):
        free_port(99999)
    assert free_port(None) >= 5000


@pytest.mark.parametrize(
    ("command", "source"),
    [
        (["/a/bin/python", "/a/bin/dvc", "exp", "run"], "dvc exp run"),
        (["dvc", "repro"], "dvc repro"),
        ([], "dvc.yaml"),
    ],
)
def test_a_run_names_its_command_and_its_recipe(
    tmp_path: Path, command: list[str], source: str
) -> None:
    tags = pipeline_origin(command, tmp_path, shrunk_content())
    assert tags["mlflow.source.name"] == source and "recipe" not in tags
    (tmp_path / "conf").symlink_to(PROJECT / "conf")
    assert pipeline_origin(command, tmp_path, shrunk_content())["recipe"].startswith("subset")
