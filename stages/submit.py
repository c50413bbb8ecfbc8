"""submit: write the submission, check it as Kaggle would, and record its provenance.

    python stages/submit.py

Reads the final masks, the crops, other stages' outputs and, for the embedded survey, the truth.
Predicts a few test crops again from models/, and stops if they differ. Writes data/submit,
results/score.json, submit.json and report.html, and contact sheets.
"""

from pathlib import Path

from saltseg.config.params import load_params
from saltseg.crops.crop_set import load_array, load_table, split_table
from saltseg.inference.spot_check import check_predictions
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import hash_file, write_json
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.project.lineage import manifest
from saltseg.reports.run_report import write_report
from saltseg.reports.score import gather_score, score_on_test
from saltseg.reports.submission_report import draw_submission
from saltseg.reports.summary import summary
from saltseg.scoring.submission import write_sample, write_submission
from saltseg.selection.out_of_fold import write_out_of_fold
from saltseg.tracking import stage_run


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    folder, truth = layout.data("submit"), layout.truth / "test.csv"
    submission, sample = folder / "submission.csv", folder / "sample_submission.csv"
    with stage_run("submit", layout, params) as run:
        known = load_table(layout.data("coverage-stratify") / "crops.parquet")
        table = split_table(known, "test").sort_values("sample_order")
        masks = load_array(layout.data("postprocess-connected-components") / "test_masks.npy")
        print(f"submit: {check_predictions(layout, table, masks, params.base.seed)}")
        write_sample(sample, table["id"].tolist())
        checked = write_submission(submission, sample, table["id"].tolist(), masks[table["row"]])
        write_out_of_fold(layout, folder / "out_of_fold.csv")
        write_json(folder / "manifest.json", manifest(layout, params, submission))
        scores = score_on_test(submission, truth, generator(params.base.seed, "submit"), table)
        write_json(layout.score, gather_score(layout, scores))
        draw_submission(layout, params, table, masks, truth)
        for path in (submission, folder / "manifest.json", layout.plots("submit")):
            run.artifact(path)
        counts = {"crops": checked.crops, "empty_share": checked.empty / max(checked.crops, 1)}
        run.metrics({**counts, **scores, "submission": hash_file(submission)})
        write_report(layout, params)
        if not params.snapshot_ensemble.outside:  # which predict no new crops
            run.model()
    print(summary(layout))


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
