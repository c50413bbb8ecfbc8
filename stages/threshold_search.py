"""threshold-search: choose the probability above which a pixel is salt.

    python stages/threshold_search.py

Reads the out-of-fold probabilities of data/snapshot-ensemble, data/ingest/train_masks.npy and
data/coverage-stratify/crops.parquet. Writes data/threshold-search/thresholds.json, the scores in
results/threshold-search.json, and the curves of score and reliability.
"""

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
        crops = load_out_of_fold(layout)
        grid = thresholds.threshold_grid(search.low, search.high, search.count)
        curve = precision_curve(crops.probabilities, crops.truth, grid)
        choice = thresholds.choose(curve, crops.parts, thresholds.middle_of_plateau)
        by_part = {part: float(grid[at]) for part, at in choice.by_part.items()}
        counted = calibration.count_pixels(crops.probabilities, crops.truth)
        scaling = calibration.judge(counted, crops.parts)
        chosen = Thresholds(float(grid[choice.setting]), by_part, scaling.fitted)
        chosen.save(layout.data("threshold-search"))
        parts = {"parts": thresholds.kind_of_parts(crops.table["fold"].tolist())}
        groups = crops.table["mosaic"].tolist()
        draws = generator(params.base.seed, "threshold-search")
        summary = thresholds.nested_summary(choice, crops.parts, groups, search.bootstrap, draws)
        resampled = generator(params.base.seed, "threshold-search", "curve")
        sure = thresholds.curve_intervals(curve, grid, groups, search.bootstrap, resampled)
        ends = dict(zip(("threshold_low", "threshold_high"), sure.chosen, strict=True))
        run.metrics({**summary, **parts, **chosen.metrics(), **ends, **scaling.metrics()})
        plots, means = layout.plots("threshold-search"), curve.mean(axis=0)
        draw_curve(plots, grid, means, chosen.overall, sure)
        draw_reliability(plots, scaling.before, scaling.after)
        run.artifact(plots)


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
