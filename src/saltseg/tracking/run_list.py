"""The view of the list of runs in MLflow that shows scores, recipe and seed without a click.

MLflow keeps a shared view as JSON in a tag of the experiment; an address names it by its key.
"""

import json

from mlflow import MlflowClient

from saltseg.tracking.run_origin import RECIPE

KEY = "scores"
"""Name of the view in addresses."""

_TAG = f"mlflow.sharedViewState.{KEY}"

_COLUMNS = (
    "metrics.`score`",
    "metrics.`score_low`",
    "metrics.`score_high`",
    "metrics.`test_score`",
    f"tags.`{RECIPE}`",
    "params.`base.seed`",
)


def show_scores(client: MlflowClient, experiment: str) -> None:
    """Give an experiment the view, unless it has it."""
    view = json.dumps({"selectedColumns": _COLUMNS, "columnOrder": [], "columnWidths": {}})
    if client.get_experiment(experiment).tags.get(_TAG) != view:
        client.set_experiment_tag(experiment, _TAG, view)


def address_of_runs(server: str, experiment: str) -> str:
    """Return the address of the view. server: such as http://127.0.0.1:5000."""
    options = f"workflowType=machine_learning&viewStateShareKey={KEY}"
    return f"{server}/#/experiments/{experiment}/runs?{options}"
