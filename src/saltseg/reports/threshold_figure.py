"""The precision over thresholds, as a table and as a picture."""

from pathlib import Path

import pandas as pd

from saltseg.plumbing.files import write_csv
from saltseg.reports.figures import line_chart
from saltseg.scoring.metric import Scores


def draw_curve(folder: Path, grid: Scores, means: Scores) -> None:
    """Write curve.csv and curve.png to `folder`; grid and mean precisions have one shape (k,)."""
    write_csv(folder / "curve.csv", pd.DataFrame({"threshold": grid, "precision": means}))
    line_chart(
        folder / "curve.png",
        grid,
        {"out of fold": means},
        "threshold",
        "precision",
        "Precision over thresholds",
    )
