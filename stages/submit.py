"""submit: write the submission, check it as Kaggle would, and say what it was made from.

    python stages/submit.py

Reads the final masks of the test crops, the table of crops, the test images, the other stages'
metrics and, with the embedded survey, the truth. Writes data/submit (submission.csv, the sample
it is checked against, manifest.json), results/submit.json and a contact sheet of predictions.
"""

from pathlib import Path
from typing import Any

import numpy as np

from saltseg.crops import load_array, load_table, split_table
from saltseg.errors import one_line_errors
from saltseg.figures import PREDICTION, TRUTH, contact_sheet
from saltseg.files import hash_file, read_json, write_json
from saltseg.layout import Layout
from saltseg.lineage import manifest
from saltseg.params import load_params
from saltseg.seeds import generator
from saltseg.submission import read_masks, score_submission, write_sample, write_submission
from saltseg.summary import summary
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    folder = layout.data("submit")
    submission, sample = folder / "submission.csv", folder / "sample_submission.csv"
    with stage_run("submit", layout, params) as run:
        table = load_table(layout.data("coverage-stratify") / "crops.parquet")
        table = split_table(table, "test").sort_values("sample_order")
        masks = load_array(layout.data("postprocess-connected-components") / "test_masks.npy")
        write_sample(sample, table["id"].tolist())
        checked = write_submission(submission, sample, table["id"].tolist(), masks[table["row"]])
        write_json(folder / "manifest.json", manifest(layout, params, submission))
        numbers = {"crops": checked.crops, "empty_share": checked.empty / checked.crops}
        numbers |= scores(layout, submission, params.base.seed)
        places = np.linspace(0, len(table) - 1, min(params.submit.examples, len(table)))
        shown = table.iloc[places.astype(int)]
        draw(layout, shown["id"].tolist(), shown["row"].to_numpy(), masks)
        for path in (submission, folder / "manifest.json", layout.plots("submit")):
            run.artifact(path)
        run.metrics({**numbers, "submission": hash_file(submission)})
    print(summary(layout))


def scores(layout: Layout, submission: Path, seed: int) -> dict[str, Any]:
    """Return the nested out-of-fold score and, where the truth is known, the submission's."""
    cleaned = read_json(layout.result("postprocess-connected-components"))
    found = {
        "out_of_fold_score": cleaned["score_after"],
        "out_of_fold_low": cleaned["score_low"],
        "out_of_fold_high": cleaned["score_high"],
    }
    truth = layout.truth / "test.csv"
    if truth.exists():
        score = score_submission(submission, truth, generator(seed, "submit"))
        found |= {"test_score": score.mean, "test_low": score.low, "test_high": score.high}
    return found


def draw(layout: Layout, ids: list[str], rows: np.ndarray, masks: np.ndarray) -> None:
    """Draw some test crops with predicted outlines, over the true ones where these are known."""
    outlines = [(masks[rows], PREDICTION)]
    truth = layout.truth / "test.csv"
    if truth.exists():
        outlines.insert(0, (read_masks(truth, ids), TRUTH))
    images = load_array(layout.data("ingest") / "test_images.npy")
    contact_sheet(layout.plots("submit") / "predictions.png", images[rows], outlines, ids)


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
