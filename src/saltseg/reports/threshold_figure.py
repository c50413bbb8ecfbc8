"""The score over thresholds, as a table and as a chart."""

from pathlib import Path

import pandas as pd

from saltseg.plumbing.files import write_csv
from saltseg.reports.charts import chart
from saltseg.reports.palette import BLUE, INK, ORANGE, shade
from saltseg.scoring.metric import Scores
from saltseg.selection.nested_choice import WINDOW, CurveIntervals, smoothed


def draw_curve(
    folder: Path, grid: Scores, means: Scores, chosen: float, intervals: CurveIntervals
) -> None:
    """Write curve.csv and curve.png to `folder`.

    grid, means: thresholds and mean scores, both (k,). chosen: the threshold that is used.
    """
    mean_of_window = smoothed(means, grid)
    table = {"threshold": grid, "score": means, "smoothed": mean_of_window}
    ends = {"low": intervals.low, "high": intervals.high}
    write_csv(folder / "curve.csv", pd.DataFrame(table | ends))
    title = "Out-of-fold score over thresholds"
    with chart(folder / "curve.png", "threshold", "score, before cleaning", title) as axes:
        axes.fill_between(
            grid,
            intervals.low,
            intervals.high,
            color=shade(BLUE),
            alpha=0.2,
            linewidth=0,
            label="95% interval of the score",
        )
        axes.plot(grid, means, color=shade(BLUE), label="mean score")
        axes.plot(grid, mean_of_window, color=shade(INK), label=f"over a window of {WINDOW}")
        axes.axvspan(
            *intervals.chosen,
            color=shade(ORANGE),
            alpha=0.25,
            linewidth=0,
            label=f"95% of choices: {intervals.chosen[0]:.3f} to {intervals.chosen[1]:.3f}",
        )
        axes.axvline(chosen, color=shade(INK), linestyle="--", label=f"chosen: {chosen:.3f}")
