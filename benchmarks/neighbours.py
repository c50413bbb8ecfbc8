"""The effect of neighbouring training crops on a score: ordinary folds against grouped ones.

    python -m benchmarks.neighbours [--raw FOLDER] [--train 2000] [--epochs N] [--seeds 3]

Trains the members of params.yaml (`saltseg recipe NAME` writes another) on all folds, without
pseudo-labels, once with the folds of `coverage` and once with those of `coverage_grouped`, and
compares the nested out-of-fold score of the same crops, separately for those with a neighbour in
another ordinary fold and for the rest. Each seed has its own folds and trainings, and its own
survey without `--raw`, the folder of Kaggle's files. `--epochs` sets the epochs of every phase, and
so the time of a run. The same command resumes from the checkpoints in `--work`.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.training_curve import nested
from saltseg.config.params import Params, load_params, parse_params
from saltseg.crops.crop_set import CropSet, split_table
from saltseg.crops.folds import assign_folds, crops_beside_other_folds
from saltseg.crops.mosaics import describe_mosaics
from saltseg.crops.tgs import read_raw
from saltseg.inference.ensemble import Ensemble, average, find_snapshots
from saltseg.learning.member import train_member
from saltseg.learning.training_sets import Sources
from saltseg.models.snapshots import save_snapshots
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.scoring.intervals import bootstrap_interval
from saltseg.selection.nested_choice import selection_parts
from saltseg.selection.pseudolabels import no_pseudolabels
from saltseg.survey import generate

STRATEGIES = {"ordinary": "coverage", "grouped": "coverage_grouped"}


@dataclass(frozen=True)
class Known:
    """Train crops, their table with `coverage_class` and `mosaic`, and which are neighbours."""

    crops: CropSet
    train: pd.DataFrame
    neighbours: pd.DataFrame


def read_params(path: Path, seed: int, epochs: int | None) -> Params:
    """Read the parameters and set seed, epochs, all folds and no pseudo-labels."""
    content: dict[str, Any] = load_params(path).model_dump(mode="json")
    content["base"]["seed"] = seed
    content["pseudolabel"]["enabled"] = False
    content["train_per_fold"]["folds"] = list(range(content["fold_split"]["n_folds"]))
    for phase in content["train_per_fold"]["phases"] if epochs else []:
        (settings,) = phase["schedule"].values()
        settings["epochs"] = epochs
    return parse_params(content, str(path))


def read_known(raw: Path | None, train: int, params: Params, workers: int) -> Known:
    """Read Kaggle's files, or make a survey, and find the neighbours among all crops."""
    if raw:
        crops, _ = read_raw(raw, workers)
    else:
        crops = generate(train, max(train // 10, 12), params.base.seed, workers).crops
    table, neighbours = describe_mosaics(crops, params.coverage_stratify)
    # The test crops are not needed from here on, and predicting them takes long.
    only_train = replace(crops, table=crops.train, test_images=crops.test_images[:0])
    return Known(only_train, split_table(table, "train"), neighbours)


def trained_ensemble(known: Known, folds: pd.DataFrame, params: Params, layout: Layout) -> Ensemble:
    """Train on each fold and return the out-of-fold predictions."""
    labels, sources = no_pseudolabels(), Sources(params, layout, known.crops, folds)
    for member in params.train_per_fold.members:
        for fold in params.train_per_fold.folds:
            trained = train_member(member, fold, sources, labels, lambda values, epoch: None)
            save_snapshots(layout.model(member, fold), trained.snapshots)
    return average(params, known.crops, folds, find_snapshots(layout, params))


def score(known: Known, folds: pd.DataFrame, params: Params, layout: Layout) -> pd.Series:
    """Train on each fold, and return the nested out-of-fold precision by id."""
    ensemble = trained_ensemble(known, folds, params, layout)
    truth = known.crops.train_masks[ensemble.table["row"].to_numpy()]
    parts = selection_parts(ensemble.table["fold"].tolist(), ensemble.table["id"].tolist())
    scores = nested(params, ensemble.out_of_fold.astype(np.float16), truth, parts)
    return pd.Series(scores, index=ensemble.table["id"])


def workplace(root: Path) -> Layout:
    """Return a checkout's folders below `root`, with the weights and survey of this checkout."""
    here, layout = Layout(Path()), Layout(root)
    for source, link in ((here.weights, layout.weights), (here.pretraining, layout.pretraining)):
        link.parent.mkdir(parents=True, exist_ok=True)
        if source.exists() and not link.exists():
            link.symlink_to(source.resolve())
    return layout


def compare(known: Known, params: Params, work: Path) -> pd.DataFrame:
    """Return `mosaic`, `beside`, and the score with either kind of folds, by id."""
    table = known.train.set_index("id")[["mosaic"]]
    for name, strategy in STRATEGIES.items():
        split = params.fold_split
        folds = assign_folds(known.train, split.n_folds, strategy, params.base.seed)
        folds = folds.merge(known.train[["id", "coverage_class", "mosaic"]], on="id")
        table[name] = score(known, folds, params, workplace(work / name))
        if name == "ordinary":
            table["beside"] = table.index.isin(crops_beside_other_folds(folds, known.neighbours))
        print(f"seed {params.base.seed}: {name}: {table[name].mean():.4f}", flush=True)
    return table


def report(table: pd.DataFrame, resamples: int) -> None:
    """Print the means and their paired differences, with intervals over mosaics."""
    print(f"{'crops':24}{'count':>7}{'ordinary':>10}{'grouped':>10}{'difference, 95%':>30}")
    groups = {
        "with such a neighbour": table[table["beside"]],
        "without": table[~table["beside"]],
        "all": table,
    }
    for name, lines in groups.items():
        if len(lines):
            difference = (lines["ordinary"] - lines["grouped"]).to_numpy()
            draws = generator(0, "neighbours", name)
            low, high = bootstrap_interval(difference, lines["mosaic"].tolist(), resamples, draws)
            interval = f"{difference.mean():+.4f}, {low:+.4f} to {high:+.4f}"
            means = f"{lines['ordinary'].mean():>10.4f}{lines['grouped'].mean():>10.4f}"
            print(f"{name:24}{len(lines):>7,}{means}{interval:>30}")


def main() -> None:
    """Compare on all seeds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw", type=Path, help="folder of Kaggle's files")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--train", type=int, default=2000, help="train crops of a survey")
    parser.add_argument("--epochs", type=int, help="of each phase; the parameters' without it")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("tmp/neighbours"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if options.workers < 0:
        parser.error(f"--workers: {options.workers} is negative; 0 is none beside this process")
    tables = []
    for seed in range(1, options.seeds + 1):
        params = read_params(options.params, seed, options.epochs)
        known = read_known(options.raw, options.train, params, options.workers)
        tables.append(compare(known, params, options.work / str(seed)))
    report(pd.concat(tables), params.threshold_search.bootstrap)


if __name__ == "__main__":
    with one_line_errors():
        main()
