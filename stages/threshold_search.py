"""threshold-search: choose the probability from which a pixel is salt.

    python stages/threshold_search.py

Reads the out-of-fold probabilities of data/snapshot-ensemble, data/ingest/train_masks.npy and
data/coverage-stratify/crops.parquet. Writes data/threshold-search/thresholds.json, the scores in
results/threshold-search.json, and the curve of the precision over thresholds.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from saltseg import thresholds
from saltseg.errors import one_line_errors
from saltseg.figures import line_chart
from saltseg.files import write_csv, write_json
from saltseg.layout import Layout
from saltseg.metric import Scores, precision_curve
from saltseg.out_of_fold import OutOfFold, load_out_of_fold
from saltseg.params import Params, load_params
from saltseg.seeds import generator
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    search = params.threshold_search
    with stage_run("threshold-search", layout, params) as run:
        crops = load_out_of_fold(layout)
        grid = thresholds.threshold_grid(search.low, search.high, search.count)
        curve = precision_curve(crops.probabilities, crops.truth, grid)
        choice = thresholds.choose(curve, crops.parts, thresholds.middle_of_plateau)
        chosen = {
            "threshold": float(grid[choice.setting]),
            "threshold_by_part": {
                str(part): float(grid[at]) for part, at in choice.by_part.items()
            },
        }
        write_json(layout.data("threshold-search") / "thresholds.json", chosen)
        run.metrics({**score(choice, crops, params), **chosen})
        draw(layout.plots("threshold-search"), grid, curve.mean(axis=0))
        run.artifact(layout.plots("threshold-search"))


def score(choice: thresholds.Choice, crops: OutOfFold, params: Params) -> dict[str, Any]:
    """Return what the choice is worth, naive and nested, with the interval of the nested score."""
    low, high = thresholds.bootstrap_interval(
        choice.scores,
        crops.table["mosaic"].tolist(),
        params.threshold_search.bootstrap,
        generator(params.base.seed, "threshold-search"),
    )
    by_part = thresholds.part_means(choice.scores, crops.parts)
    return {
        "crops": len(choice.scores),
        "naive_score": choice.naive_score,
        "nested_score": float(choice.scores.mean()),
        "nested_low": low,
        "nested_high": high,
        "fold_spread": thresholds.spread(by_part),
        "score_by_part": {str(part): mean for part, mean in by_part.items()},
    }


def draw(folder: Path, grid: Scores, means: Scores) -> None:
    """Write the curve as a table and as a picture."""
    write_csv(folder / "curve.csv", pd.DataFrame({"threshold": grid, "precision": means}))
    line_chart(
        folder / "curve.png",
        grid,
        {"out of fold": means},
        "threshold",
        "precision",
        "Precision over thresholds",
    )


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
