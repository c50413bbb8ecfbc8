"""Searches among MLflow's runs, whatever their number."""

from collections.abc import Iterator, Sequence

from mlflow import MlflowClient
from mlflow.entities import Run

PAGE = 1000
"""Runs that are asked for at a time."""


def search_runs(client: MlflowClient, experiments: Sequence[str], query: str) -> Iterator[Run]:
    """Yield all runs of some experiments, by id, that `query` describes: the last one first."""
    token = None
    while True:
        page = client.search_runs(
            [*experiments],
            query,
            max_results=PAGE,
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return
