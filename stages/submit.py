"""submit: write the submission, check it as Kaggle would, and say what it was made from.

    python stages/submit.py

Reads the final masks of the test crops, the table of crops, the test images, the pseudo-labels,
the other stages' numbers and, with the embedded survey, the truth. Writes data/submit
(submission.csv, the sample it is checked against, manifest.json), results/score.json,
results/submit.json, and contact sheets of the predictions and the pseudo-labels.
"""

from pathlib import Path

import pandas as pd

from saltseg.config.params import Params, load_params
from saltseg.crops.crop_set import load_array, load_table, split_table
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import hash_file, write_json
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.project.lineage import manifest
from saltseg.reports.panels import Mask
from saltseg.reports.pseudolabel_figure import draw_pseudolabels
from saltseg.reports.score import gather_score, score_on_test
from saltseg.reports.submission_figure import draw_predictions
from saltseg.reports.summary import summary
from saltseg.scoring.submission import write_sample, write_submission
from saltseg.selection.pseudolabels import load_pseudolabels
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    folder, truth = layout.data("submit"), layout.truth / "test.csv"
    submission, sample = folder / "submission.csv", folder / "sample_submission.csv"
    with stage_run("submit", layout, params) as run:
        table = load_table(layout.data("coverage-stratify") / "crops.parquet")
        table = split_table(table, "test").sort_values("sample_order")
        masks = load_array(layout.data("postprocess-connected-components") / "test_masks.npy")
        write_sample(sample, table["id"].tolist())
        checked = write_submission(submission, sample, table["id"].tolist(), masks[table["row"]])
        write_json(folder / "manifest.json", manifest(layout, params, submission))
        scores = score_on_test(submission, truth, generator(params.base.seed, "submit"))
        write_json(layout.score, gather_score(layout, scores))
        draw(layout, params, table, masks, truth)
        for path in (submission, folder / "manifest.json", layout.plots("submit")):
            run.artifact(path)
        counts = {"crops": checked.crops, "empty_share": checked.empty / checked.crops}
        run.metrics({**counts, **scores, "submission": hash_file(submission)})
        run.model()
    print(summary(layout))


def draw(layout: Layout, params: Params, table: pd.DataFrame, masks: Mask, truth: Path) -> None:
    """Draw predictions and each fold's pseudo-labels, against the truth where it is known."""
    images, plots = load_array(layout.data("ingest") / "test_images.npy"), layout.plots("submit")
    shown = params.submit.examples
    draw_predictions(plots / "predictions.png", table, images, masks, truth, shown)
    if params.pseudolabel.enabled:
        for fold in params.train_per_fold.folds:
            labels = load_pseudolabels(layout.data("pseudolabel", fold))
            draw_pseudolabels(plots / f"pseudolabels_{fold}.png", labels, images, truth)


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
