"""pseudolabel: train the teachers of one fold and pseudo-label confident test crops.

    python stages/pseudolabel.py FOLD   # dvc names it in DVC_STAGE

The teachers, one per round, learn from all folds but FOLD. Writes data/pseudolabel/FOLD: their
labels and, for a warm start, the last one's weights.
"""

from pathlib import Path

from saltseg.config.params import Params, check_fold, load_params
from saltseg.config.schema import Fold
from saltseg.crops.crop_set import load_array, load_crops, load_table, split_table
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.project.items import read_fold, stage_item
from saltseg.selection.pseudolabels import PseudoLabels, no_pseudolabels, save_pseudolabels, summary
from saltseg.tracking import StageRun, stage_run


def main(root: Path, fold: Fold) -> None:
    """Run the stage for one fold below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    check_fold(fold, params, layout)
    with stage_run("pseudolabel", layout, params, fold) as run:
        settings = params.pseudolabel
        test = len(load_array(layout.data("ingest") / "test_images.npy"))
        if settings.enabled and not test:
            print("pseudolabel: there are no test crops to label")
        if settings.enabled and (test or settings.warm_start):
            teach(layout, params, fold, run)
        else:
            save(layout, fold, no_pseudolabels(), run)


def teach(layout: Layout, params: Params, fold: Fold, run: StageRun) -> None:
    """Train the fold's teachers, save what the last one leaves, and drop the checkpoints."""
    # torch takes seconds, which a disabled stage need not spend.
    from saltseg.learning.checkpoint import drop_checkpoint
    from saltseg.learning.teacher import label_test
    from saltseg.learning.training_sets import Sources
    from saltseg.models.snapshots import save_weights

    folds = load_table(layout.data("fold-split") / "folds.parquet")
    table = split_table(load_table(layout.data("coverage-stratify") / "crops.parquet"), "test")
    sources = Sources(params, layout, load_crops(layout.data("ingest")), folds)
    result = label_test(fold, sources, table, run.epoch)
    save(layout, fold, result.labels, run)
    if params.pseudolabel.warm_start:
        save_weights(layout.teacher(fold), result.weights)
    for checkpoint in result.checkpoints:
        drop_checkpoint(checkpoint)


def save(layout: Layout, fold: Fold, labels: PseudoLabels, run: StageRun) -> None:
    """Write the pseudo-labels and their counts."""
    layout.teacher(fold).unlink(missing_ok=True)
    save_pseudolabels(layout.data("pseudolabel", fold), labels)
    run.metrics(summary(labels))


if __name__ == "__main__":
    about, parts = "Label test crops.", {"fold": "the fold that the teacher never sees"}
    with one_line_errors():
        (held_out,) = stage_item("pseudolabel", about, parts)
        main(Path(), read_fold(held_out))
