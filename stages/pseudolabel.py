"""pseudolabel: train the teachers of one fold and pseudo-label confident test crops.

    python stages/pseudolabel.py FOLD   # dvc names it in DVC_STAGE

The teachers, one per round, learn from all folds but FOLD. Writes their labels and, for a warm
start, the last one's weights to data/pseudolabel/FOLD.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from saltseg.config.params import Params, check_fold, load_params
from saltseg.config.schema import Fold
from saltseg.crops.crop_set import load_array, load_table, split_table
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.project.items import read_fold, stage_item
from saltseg.selection import pseudolabels
from saltseg.tracking import StageRun, stage_run

if TYPE_CHECKING:
    from saltseg.learning.teacher import TeacherResult


def main(root: Path, fold: Fold) -> None:
    """Run the stage for one fold below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    check_fold(fold, params, layout)
    with stage_run("pseudolabel", layout, params, fold) as run:
        test = load_array(layout.data("ingest") / "test_images.npy")
        needed = pseudolabels.needs_teachers(params.pseudolabel, len(test))
        taught = teach(layout, params, fold, run) if needed else None
        labels = taught.labels if taught else pseudolabels.no_pseudolabels()
        layout.teacher(fold).unlink(missing_ok=True)
        pseudolabels.save_pseudolabels(layout.data("pseudolabel", fold), labels)
        if taught and params.pseudolabel.warm_start:
            taught.save_weights(layout.teacher(fold))
        run.metrics(pseudolabels.summary(labels))
    if taught:  # last: killed before this, the stage resumes
        taught.drop_checkpoints()


def teach(layout: Layout, params: Params, fold: Fold, run: StageRun) -> "TeacherResult":
    """Train the fold's teachers, and label the test crops."""
    from saltseg.learning.teacher import label_test  # torch takes seconds
    from saltseg.learning.training_sets import Sources

    table = split_table(load_table(layout.data("coverage-stratify") / "crops.parquet"), "test")
    return label_test(fold, Sources.load(params, layout), table, run.epoch)


if __name__ == "__main__":
    with one_line_errors():
        about, parts = "Label test crops.", {"fold": "the fold that the teacher never sees"}
        (held_out,) = stage_item("pseudolabel", about, parts)
        main(Path(), read_fold(held_out))
