"""Creating a run in MLflow and logging parameters and files within MLflow's limits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.entities import Param
from mlflow.exceptions import MlflowException

RECORD = "record"
"""The artifact folder with the record of a pipeline run."""

LONGEST_TAG = 5000
"""MLflow's limit for a tag's value and for a version's description, in characters."""

_LONGEST_PARAM = 6000
_MOST_PARAMS = 100
"""MLflow's limits for a parameter's value and for one batch of parameters."""


@contextmanager
def whole_run(
    client: MlflowClient, place: str, name: str, tags: Mapping[str, str], started: int
) -> Iterator[str]:
    """Create a run in the experiment `place` and yield its id; delete the run if the block fails.

    started: milliseconds since 1970.
    """
    run = str(client.create_run(place, started, dict(tags), run_name=name).info.run_id)
    try:
        yield run
    except BaseException:
        with suppress(MlflowException):  # this may fail for the same reason as the block
            client.delete_run(run)
        raise


def log_params(client: MlflowClient, run: str, params: Mapping[str, str]) -> None:
    """Log parameters by name; long values are truncated."""
    logged = [Param(key, value[:_LONGEST_PARAM]) for key, value in params.items()]
    for start in range(0, len(logged), _MOST_PARAMS):
        client.log_batch(run, params=logged[start : start + _MOST_PARAMS])


def log_files(client: MlflowClient, run: str, files: Mapping[str, bytes], place: str) -> None:
    """Log file contents by path as artifacts in the folder `place`; "" for the top."""
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        client.log_artifacts(run, folder, place)


def picture(name: str, run: str) -> str:
    """Return Markdown that shows a run's artifact, by its address on the server, on any page."""
    return f"![{name}](get-artifact?path={quote(name, safe='')}&run_uuid={run})"
