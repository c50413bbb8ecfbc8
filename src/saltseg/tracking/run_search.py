"""Searching MLflow's runs, page by page."""

from collections.abc import Iterator, Sequence

from mlflow import MlflowClient
from mlflow.entities import Run

PAGE = 1000
"""Runs per page."""


def search_runs(client: MlflowClient, experiments: Sequence[str], query: str) -> Iterator[Run]:
    """Yield all runs of the experiments (ids) that match `query`, latest first."""
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
