"""One recorded run of the tiny pipeline, and copies of it to break."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from saltseg.tracking import wait_for_recorders
from tests.helpers.checkout import Checkout
from tests.helpers.made_once import made_once
from tests.helpers.records import make_repository
from tests.tracking.conftest import migrated as migrated


@dataclass(frozen=True)
class Recorded(Checkout):
    """A checkout with one recorded run of the pipeline, all pushed to a remote."""

    run_id: str
    remote: Path

    def cached(self, path: str) -> Path:
        """Return the file in DVC's cache that holds an output, or a file in one."""
        folder, _, name = path.partition("//")
        digest = self.outputs()[folder]
        if name:
            listed = yaml.safe_load(self._object(digest).read_text())
            digest = next(entry["md5"] for entry in listed if entry["relpath"] == name)
        return self._object(digest)

    def _object(self, digest: str) -> Path:
        return self.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]


Copy = Callable[[], Recorded]


@pytest.fixture(scope="session")
def recorded(
    twins: tuple[Checkout, Checkout], tmp_path_factory: pytest.TempPathFactory
) -> Recorded:
    """A copy of the run pipeline, with a remote that has everything; not to be changed."""
    wait_for_recorders(twins[0].root / "mlruns")

    def make(folder: Path) -> None:
        shutil.copytree(twins[0].root, folder / "project", symlinks=True)
        checkout = Checkout(folder / "project")
        checkout.succeed("dvc", "remote", "add", "--default", "--force", "shared", "../remote")
        checkout.commit("The results of the first run")
        checkout.succeed("dvc", "push")

    folder = made_once(tmp_path_factory, "recorded", make)
    return Recorded(folder / "project", run_of(twins[0]), folder / "remote")


@pytest.fixture
def copy(recorded: Recorded, tmp_path: Path) -> Recorded:
    """The recorded run in a copy of its own, cache and remote included."""
    shutil.copytree(recorded.root.parent, tmp_path / "copy", symlinks=True)
    return Recorded(tmp_path / "copy/project", recorded.run_id, tmp_path / "copy/remote")


def run_of(checkout: Checkout) -> str:
    """Return the id of the last recorded run of the pipeline."""
    wait_for_recorders(checkout.root / "mlruns")
    client = MlflowClient(f"sqlite:///{checkout.root}/mlruns/mlflow.db")
    (experiment,) = (each for each in client.search_experiments() if each.name != "Default")
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    return next(run.info.run_id for run in runs if "mlflow.parentRunId" not in run.data.tags)


def flip_byte(path: Path) -> None:
    """Change one byte in the middle of a file, which may be protected."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.fixture
def repository(tmp_path: Path, migrated: Path) -> Path:
    """A commit with all that a run records, and an empty store of MLflow."""
    return make_repository(tmp_path / "project", migrated)
