"""One run in MLflow, its parameters and files, and the limits of what it takes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities import Param
from mlflow.exceptions import MlflowException

RECORD = "record"
"""The artifact folder that holds what a run of the pipeline recorded."""

LONGEST_TAG = 5000
"""MLflow's limit for the value of a tag, in characters."""

_LONGEST_PARAM = 6000
_MOST_PARAMS = 100
"""MLflow's limits for a parameter's value, and for one batch of them."""


@contextmanager
def whole_run(
    client: MlflowClient, place: str, name: str, tags: Mapping[str, str], started: int
) -> Iterator[str]:
    """Create a run in the experiment `place` and yield its id; delete it if the block fails.

    started: milliseconds since 1970.
    """
    run = str(client.create_run(place, started, dict(tags), run_name=name).info.run_id)
    try:
        yield run
    except BaseException:
        with suppress(MlflowException):  # what made the block fail may hinder this too
            client.delete_run(run)
        raise


def log_params(client: MlflowClient, run: str, params: Mapping[str, str]) -> None:
    """Log parameters by name; what is too long of a value is cut off."""
    logged = [Param(key, value[:_LONGEST_PARAM]) for key, value in params.items()]
    for start in range(0, len(logged), _MOST_PARAMS):
        client.log_batch(run, params=logged[start : start + _MOST_PARAMS])


def log_files(client: MlflowClient, run: str, files: Mapping[str, bytes], place: str) -> None:
    """Log contents by path as artifacts below the folder `place`, "" for the top."""
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        client.log_artifacts(run, folder, place)
