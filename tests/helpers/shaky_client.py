"""A connection to MLflow's store that breaks."""

from collections.abc import Callable
from typing import Any

from mlflow import MlflowClient


class UnpluggedError(Exception):
    """What a broken connection raises."""


class ShakyClient:
    """MLflow's client on a connection that breaks at call `breaks`, before it or after it."""

    def __init__(self, client: MlflowClient, breaks: int, *, after: bool) -> None:
        self.client, self.calls, self.breaks, self.after = client, 0, breaks, after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # whatever MLflow takes
            self.calls += 1
            if self.calls == self.breaks and not self.after:
                raise UnpluggedError
            answer = getattr(self.client, name)(*arguments, **named)
            if self.calls == self.breaks:
                raise UnpluggedError
            return answer

        return call
