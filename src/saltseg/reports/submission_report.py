"""The pictures of a submission: its predictions, and the teachers' pseudo-labels."""

from pathlib import Path

import pandas as pd

from saltseg.config.params import Params
from saltseg.crops.crop_set import load_array
from saltseg.plumbing.layout import Layout
from saltseg.reports.panels import Mask
from saltseg.reports.pseudolabel_figure import draw_pseudolabels
from saltseg.reports.submission_figure import draw_predictions
from saltseg.selection.pseudolabels import load_pseudolabels


def draw_submission(
    layout: Layout, params: Params, table: pd.DataFrame, masks: Mask, truth: Path
) -> None:
    """Draw predictions and each fold's pseudo-labels, with the truth if it is known.

    table: the test crops' lines with `id` and `row`; masks: bool (n, h, w), by row. truth: a file
    of true masks in submission format, used if it exists.
    """
    images, plots = load_array(layout.data("ingest") / "test_images.npy"), layout.plots("submit")
    shown = params.submit.examples
    draw_predictions(plots / "predictions.png", table, images, masks, truth, shown)
    if params.pseudolabel.enabled:
        for fold in params.train_per_fold.folds:
            labels = load_pseudolabels(layout.data("pseudolabel", fold))
            draw_pseudolabels(plots / f"pseudolabels_{fold}.png", labels, images, truth)
