"""A summary of a pipeline run in a few lines."""

from collections.abc import Mapping
from typing import Any

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout, check_project


def summary(layout: Layout) -> str:
    """Return the last run's nested score and the paths of its files.

    Raises InputError before the first run.
    """
    for path in (layout.score, layout.result("submit")):
        if not path.exists():
            check_project(layout.root)
            raise InputError(
                f"{path}: no run has finished here yet; 'make demo' or 'dvc repro' makes one"
            )
    score, submitted = read_json(layout.score), read_json(layout.result("submit"))
    locked = f", on locked folds {score['locked_folds']}" if "locked_folds" in score else ""
    lines = [_score("score             ", score, "score") + locked]
    if "test_score" in submitted:
        lines.append(_score("score on test     ", submitted, "test_score"))
    return "\n".join(
        [
            *lines,
            f"report              {layout.report}",
            f"submission          {layout.data('submit') / 'submission.csv'}, checked",
            f"manifest            {layout.data('submit') / 'manifest.json'}",
            f"figures             {layout.plots('submit').parent}, or dvc plots show",
            "compare             make compare, or in MLflow: make ui",
        ]
    )


def describe_score(score: float, low: float, high: float) -> str:
    """Format a score and its interval, as in "0.7712, 95% interval 0.7650 to 0.7771"."""
    return f"{score:.4f}, 95% interval {low:.4f} to {high:.4f}"


def score_in(result: Mapping[str, Any], name: str) -> str:
    """Format the score `name` of a stage's result, which has its interval as NAME_low and _high."""
    return describe_score(*(result[key] for key in (name, f"{name}_low", f"{name}_high")))


def _score(label: str, result: Mapping[str, Any], name: str) -> str:
    return f"{label}  {score_in(result, name)}"
