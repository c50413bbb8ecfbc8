"""train-per-fold: train one member of the ensemble on all folds but one.

    python stages/train_per_fold.py MEMBER FOLD

Reads the crops, the folds and the pseudo-labels of the same fold; writes models/MEMBER/FOLD
(a snapshot for each cosine cycle), results/train-per-fold/MEMBER/FOLD.json and the history.
"""

import argparse
from pathlib import Path

import pandas as pd

from saltseg.crops import load_crops, load_table
from saltseg.errors import InputError, one_line_errors
from saltseg.files import write_csv
from saltseg.labelled import pseudolabelled_crops, training_crops
from saltseg.layout import Layout
from saltseg.params import Params, load_params
from saltseg.pseudolabels import load_pseudolabels
from saltseg.seeds import stream_seed
from saltseg.snapshots import save_snapshots
from saltseg.states import drop_state
from saltseg.tracking import stage_run
from saltseg.training import History, Place, Task, train


def main(root: Path, member: str, fold: int) -> None:
    """Run the stage for one member and fold below `root`."""
    layout = Layout(root)
    params = load_params(layout.params)
    if member not in params.models:
        raise InputError(f"{layout.params}: models: no {member!r}; name one of {[*params.models]}")
    with stage_run("train-per-fold", layout, params, member, fold) as run:
        crops = load_crops(layout.data("ingest"))
        folds = load_table(layout.data("fold-split") / "folds.parquet")
        labels = load_pseudolabels(layout.data("pseudolabel", fold))
        learned, held_out = training_crops(crops, folds, fold)
        trained = train(
            task(params, member, fold),
            {"train": learned, "pseudolabels": pseudolabelled_crops(crops, labels)},
            held_out,
            Place(params.runtime, layout.weights, layout.states, f"{member}, fold {fold}"),
            run.epoch,
        )
        save_snapshots(layout.model(member, fold), trained.snapshots)
        history = layout.plots("train-per-fold", member, fold) / "history.csv"
        write_csv(history, pd.DataFrame(trained.history), decimals=8)
        run.artifact(history)
        run.metrics(summary(trained.history))
        drop_state(trained.state)


def task(params: Params, member: str, fold: int) -> Task:
    """Put together what determines the training."""
    seed = stream_seed(params.base.seed, "train", member, fold)
    return Task(params.models[member], params.training, params.train_per_fold.phases, seed)


def summary(history: History) -> dict[str, float]:
    """Return the last epoch's numbers; the last, not the best, which the fold would choose."""
    names = ["loss", "validation_bce", "validation_precision"]
    return {"epochs": len(history), **{name: history[-1][name] for name in names}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train one member on all folds but one.")
    parser.add_argument("member", help="name of a model definition in params.yaml")
    parser.add_argument("fold", type=int, help="the fold that is held out")
    arguments = parser.parse_args()
    with one_line_errors():
        main(Path(), arguments.member, arguments.fold)
