"""The metrics of one run in MLflow: curves over epochs, and final numbers."""

from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import Metric

_MOST = 1000
"""MLflow's limit for one batch of metrics."""


class RunMetrics:
    """The metrics a run shows. A final number that its curve ends with is not logged again.

    MLflow draws all values of one name as one curve: a final number at step 0 would distort it.
    """

    def __init__(
        self, client: MlflowClient, run: str, shown: Mapping[str, float] | None = None
    ) -> None:
        """Log to `run`; `shown`: the metrics it has already."""
        self.client = client
        self.run = run
        self.shown = dict(shown or {})
        self.steps: dict[str, int] = {}

    def epoch(self, numbers: Mapping[str, float], at: int, step: int) -> None:
        """Log the numbers of an epoch; `at` is milliseconds since 1970."""
        self.steps |= dict.fromkeys(numbers, step)
        self._log(numbers, at)
        self.shown |= numbers

    def final(self, numbers: Mapping[str, float], at: int) -> None:
        """Log the numbers that are not shown yet."""
        new = {key: value for key, value in numbers.items() if self.shown.get(key) != value}
        self._log(new, at)
        self.shown |= new

    def _log(self, numbers: Mapping[str, float], at: int) -> None:
        metrics = [Metric(key, value, at, self.steps.get(key, 0)) for key, value in numbers.items()]
        for start in range(0, len(metrics), _MOST):
            self.client.log_batch(self.run, metrics=metrics[start : start + _MOST])
