"""What a run of the pipeline came to, in a few lines for a person."""

from typing import Any

from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout


def summary(layout: Layout) -> str:
    """Say the scores of the last run and where its files are. Raises InputError before the first.

    The out-of-fold score is the nested one: nothing was chosen on the crops that it is of.
    """
    result = read_json(layout.result("submit"))
    lines = [_score("out-of-fold score ", result, "out_of_fold")]
    if "test_score" in result:
        lines.append(_score("score on test     ", result, "test"))
    return "\n".join(
        [
            *lines,
            f"submission          {layout.data('submit') / 'submission.csv'}, checked",
            f"manifest            {layout.data('submit') / 'manifest.json'}",
            f"figures             {layout.plots('submit').parent}, or dvc plots show",
            "compare in MLflow   make ui",
        ]
    )


def describe_score(score: float, low: float, high: float) -> str:
    """Say a score and its interval, as in "0.7712, 95% interval 0.7650 to 0.7771"."""
    return f"{score:.4f}, 95% interval {low:.4f} to {high:.4f}"


def _score(label: str, result: dict[str, Any], name: str) -> str:
    numbers = (result[f"{name}_{key}"] for key in ("score", "low", "high"))
    return f"{label}  {describe_score(*numbers)}"
