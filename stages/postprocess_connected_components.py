"""postprocess-connected-components: remove small salt components and fill small holes.

    python stages/postprocess_connected_components.py

Reads data/snapshot-ensemble, data/threshold-search/thresholds.json, data/ingest and the table of
coverage-stratify. Writes data/postprocess-connected-components (masks, sizes.json, crop scores),
their means in results/postprocess-connected-components.json, and the error report.
"""

from pathlib import Path

from saltseg.config.params import load_params
from saltseg.crops.crop_set import load_array
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import write_array, write_table
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.reports.error_report import Errors, crop_scores, write_error_report
from saltseg.selection import postprocess
from saltseg.selection.out_of_fold import load_out_of_fold
from saltseg.selection.thresholds import Thresholds
from saltseg.selection.vertical_labels import Copies
from saltseg.tracking import stage_run

NAME = "postprocess-connected-components"


def main(root: Path) -> None:
    """Run the stage below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    searched, folder = params.postprocess_connected_components, layout.data(NAME)
    with stage_run(NAME, layout, params) as run:
        crops = load_out_of_fold(layout, params.fold_split.locked)
        limits = Thresholds.load(layout.data("threshold-search"))
        cleaned, cleaning = postprocess.clean_out_of_fold(crops, limits, searched)
        below: Copies = {}
        if searched.copy_vertical:
            cleaned, cleaning, below = postprocess.copy_labels(layout, crops, cleaned, cleaning)
        write_array(folder / "out_of_fold_masks.npy", cleaned)
        test, sizes = load_array(layout.data("snapshot-ensemble") / "test.npy"), cleaning.chosen
        file, choice = folder / "test_masks.npy", (limits.overall, sizes.overall)
        postprocess.write_test_masks(file, test, *choice, below)
        sizes.save(folder)
        errors, draws = Errors(crops, cleaned, cleaning), generator(params.base.seed, NAME)
        write_table(folder / "out_of_fold_scores.parquet", crop_scores(errors))
        quoted, resamples = cleaning.of(crops.quoted), params.threshold_search.bootstrap
        gain = postprocess.nested_gain(quoted, crops.quoted_mosaics, resamples, draws)
        run.metrics(gain | errors.means() | crops.quoted_on)
        images = layout.data("ingest") / "train_images.npy"
        write_error_report(layout.plots(NAME), errors, load_array(images))
        run.artifact(layout.plots(NAME))
        if not cleaning.chosen.helps:
            print(f"{NAME}: no sizes raise the nested score; the test masks stay unchanged")


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
