"""What a run of the pipeline came to, in a few lines for a person."""

from typing import Any

from saltseg.files import read_json
from saltseg.layout import Layout


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


def _score(label: str, result: dict[str, Any], name: str) -> str:
    low, high = result[f"{name}_low"], result[f"{name}_high"]
    return f"{label}  {result[f'{name}_score']:.4f}, 95% interval {low:.4f} to {high:.4f}"
