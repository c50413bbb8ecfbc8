"""results/score.json: the few numbers by which runs are compared.

`score` is the competition's metric: precision averaged over the IoU thresholds 0.50 to 0.95, then
over crops; see metric.precision. It is of the final out-of-fold masks and nested: the threshold and
the component sizes for each crop were chosen on other crops. Where folds are locked and trained, it
is over their crops alone, and `locked_folds` names them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.scoring.submission import score_submission
from saltseg.selection.thresholds import Thresholds

_MEASURES = ("iou", "dice", "boundary_distance")


def score_on_test(
    submission: Path, truth: Path, generator: np.random.Generator, table: pd.DataFrame
) -> dict[str, float]:
    """Return the score of a submission with its interval over mosaics; {} without `truth`.

    table: the test crops' `id` and `mosaic`.
    """
    if not truth.exists():
        return {}
    mosaics = dict(zip(table["id"], table["mosaic"], strict=True))
    found = score_submission(submission, truth, generator, mosaics)
    return {
        "test_score": found.mean,
        "test_score_low": found.low,
        "test_score_high": found.high,
    }


def gather_score(layout: Layout, on_test: dict[str, float]) -> dict[str, Any]:
    """Return the content of results/score.json, from the results of the stages before submit.

    on_test: as score_on_test returns it. A measure that no crop has, such as a boundary distance,
    is left out. The run's duration is not included, so that equal runs give equal bytes; MLflow
    shows it.
    """
    cleaned = read_json(layout.result("postprocess-connected-components"))
    threshold = Thresholds.load(layout.data("threshold-search")).overall
    return {
        **{name: cleaned[name] for name in ("score", "score_low", "score_high")},
        **{name: on_test[name] for name in ("test_score",) if name in on_test},
        **{name: cleaned[name] for name in (*_MEASURES, "locked_folds") if name in cleaned},
        "threshold": threshold,
    }
