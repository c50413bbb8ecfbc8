"""threshold-search: choose the probability above which a pixel is salt.

    python stages/threshold_search.py

Reads the out-of-fold probabilities of data/snapshot-ensemble, data/ingest/train_masks.npy and
data/coverage-stratify/crops.parquet. Writes data/threshold-search/thresholds.json, the scores in
results/threshold-search.json, and the curves of score and reliability.
"""

from functools import partial
from pathlib import Path

from saltseg.config.params import load_params
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.reports.reliability_figure import draw_reliability
from saltseg.reports.threshold_figure import draw_curve
from saltseg.scoring.metric import precision_curve
from saltseg.selection import calibration
from saltseg.selection import nested_choice as thresholds
from saltseg.selection.out_of_fold import load_out_of_fold
from saltseg.selection.thresholds import Thresholds
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    search = params.threshold_search
    with stage_run("threshold-search", layout, params) as run:
        crops = load_out_of_fold(layout, params.fold_split.locked)
        grid = thresholds.threshold_grid(search.low, search.high, search.count)
        curve = precision_curve(crops.probabilities, crops.truth, grid)
        best = partial(thresholds.best_threshold, grid=grid)
        choice = thresholds.choose(curve, crops.parts, best)
        by_part = {part: float(grid[at]) for part, at in choice.by_part.items()}
        counted = calibration.count_pixels(crops.probabilities, crops.truth)
        scaling = calibration.judge(counted, crops.parts)
        chosen = Thresholds(float(grid[choice.setting]), by_part, scaling.fitted)
        chosen.save(layout.data("threshold-search"))
        kind = {"parts": thresholds.kind_of_parts(crops.table["fold"].tolist())} | crops.quoted_on
        parts, mosaics = crops.parts[crops.quoted], crops.quoted_mosaics
        draws, quoted = generator(params.base.seed, "threshold-search"), choice.of(crops.quoted)
        summary = thresholds.nested_summary(quoted, parts, mosaics, search.bootstrap, draws)
        groups = crops.table["mosaic"].tolist()
        resampled = generator(params.base.seed, "threshold-search", "curve")
        sure = thresholds.curve_intervals(curve, grid, groups, search.bootstrap, resampled)
        run.metrics(summary | kind | chosen.metrics() | sure.metrics() | scaling.metrics())
        plots = layout.plots("threshold-search")
        draw_curve(plots, grid, curve.mean(axis=0), chosen.overall, sure)
        draw_reliability(plots, scaling.before, scaling.after)
        run.artifact(plots)


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
