"""train-per-fold: train one member of the ensemble on all folds but one.

    python stages/train_per_fold.py MEMBER FOLD   # dvc names them in DVC_STAGE

Reads the crops, the folds, the pseudo-labels of the same fold and, for a warm start, its teacher's
weights; writes models/MEMBER/FOLD (the snapshots of its phases),
results/train-per-fold/MEMBER/FOLD.json and the history.
"""

from pathlib import Path

from saltseg.config.params import check_fold, load_params
from saltseg.config.schema import Fold
from saltseg.learning.checkpoint import drop_checkpoint
from saltseg.learning.history import final_metrics, write_history
from saltseg.learning.member import check_member, train_member
from saltseg.learning.training_sets import Sources
from saltseg.models.snapshots import load_snapshot, save_snapshots
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.project.items import read_fold, stage_item
from saltseg.selection.pseudolabels import load_pseudolabels
from saltseg.tracking import stage_run


def main(root: Path, member: str, fold: Fold) -> None:
    """Run the stage for one member and fold below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    check_member(member, params, layout)
    check_fold(fold, params, layout)
    with stage_run("train-per-fold", layout, params, member, fold) as run:
        sources = Sources.load(params, layout)
        labels = load_pseudolabels(layout.data("pseudolabel", fold))
        teacher = layout.teacher(fold)
        start = load_snapshot(teacher) if teacher.exists() else None
        trained = train_member(member, fold, sources, labels, run.epoch, start)
        save_snapshots(layout.model(member, fold), trained.snapshots)
        history = layout.plots("train-per-fold", member, fold) / "history.csv"
        write_history(history, trained.history)
        run.artifact(history)
        run.metrics(final_metrics(trained.history))
    drop_checkpoint(trained.checkpoint)  # last: killed before this, the stage resumes


if __name__ == "__main__":
    parts = {
        "member": "name of a model definition in params.yaml",
        "fold": "the fold that is held out",
    }
    with one_line_errors():
        about = "Train one member on all folds but one."
        chosen, held_out = stage_item("train-per-fold", about, parts)
        main(Path(), chosen, read_fold(held_out))
