"""What starting from the model that comes with saltseg is worth, by the number of labelled crops.

    python -m benchmarks.few_labels RAW [--counts 50 200 800] [--fold 0] [--crops 8000]

RAW: the folder of Kaggle's files. Trains the recipe `cpu`, with the decoder of that model, from
ImageNet's weights and from that model's, on the same few crops of the other folds. They are drawn
by chance, smaller numbers out of larger ones. Either start sees about `--crops` crops, again and
again, which takes the same minutes. Scores are over thresholds .4 to .6, on the whole fold, which
neither has seen. The same command resumes from the checkpoints in `--work`.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.neighbours import Known, read_known, trained_ensemble, workplace
from saltseg.config.params import Params
from saltseg.config.recipes import read_recipe
from saltseg.crops.folds import assign_folds
from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.scoring.intervals import bootstrap_interval
from saltseg.selection.fixed_thresholds import score_over_thresholds

RECIPE, MEMBER = "cpu", "lite2"
STARTS = ("packaged", "survey")


def planned(start: str, fold: int) -> Params:
    """Return the recipe with a start, the decoder that both starts fit, and one fold."""
    here = Layout(Path())
    shipped = read_recipe(here, "survey").models[MEMBER].model_dump(mode="json")
    changes = [
        f"models.{MEMBER}.decoder_channels={shipped['decoder_channels']}".replace(" ", ""),
        f"models.{MEMBER}.weights={start}",
        f"train_per_fold.folds=[{fold}]",
        "+training.score_every=10000",  # at the ends of cycles alone
    ]
    return read_recipe(here, RECIPE, changes)


def shortened(params: Params, count: int, seen: int) -> Params:
    """Return the parameters with epochs of `count` crops that see about `seen` in all."""
    phases = params.train_per_fold.phases
    share = seen / count / sum(phase.planned_epochs for phase in phases)
    content = params.model_dump(mode="json")
    for phase in content["train_per_fold"]["phases"]:
        (settings,) = phase["schedule"].values()
        settings["epochs"] = max(1, round(settings["epochs"] * share))
    return Params.model_validate(content)


def few(folds: pd.DataFrame, fold: int, count: int) -> pd.DataFrame:
    """Return the lines of `fold`, and the first `count` others in an order drawn by chance."""
    others = folds[folds["fold"] != fold]
    if count > len(others):
        raise InputError(f"--counts: {count}, but {len(others)} crops lie outside fold {fold}")
    drawn = generator(0, "few labels", fold).permutation(len(others))[:count]
    return pd.concat([folds[folds["fold"] == fold], others.iloc[np.sort(drawn)]])


def scores(params: Params, known: Known, folds: pd.DataFrame, layout: Layout) -> pd.Series:
    """Train, and return the scores of the held-out crops by id."""
    ensemble = trained_ensemble(known, folds, params, layout)
    truth = known.crops.train_masks[ensemble.table["row"].to_numpy()]
    found = score_over_thresholds(ensemble.out_of_fold.astype(np.float16), truth)
    return pd.Series(found, index=ensemble.table["id"])


def line(count: int, table: pd.DataFrame, mosaics: pd.Series, resamples: int) -> str:
    """Return the means of both starts, and their difference with its interval."""
    difference = (table[STARTS[1]] - table[STARTS[0]]).to_numpy()
    draws = generator(0, "few labels", count)
    low, high = bootstrap_interval(difference, mosaics[table.index].tolist(), resamples, draws)
    means = " | ".join(f"{table[start].mean():.4f}" for start in STARTS)
    return f"| {count} | {means} | {difference.mean():+.4f}, {low:+.4f} to {high:+.4f} |"


def main(raw: Path, counts: list[int], fold: int, seen: int, work: Path) -> None:
    """Print a line for each number of labelled crops."""
    plans = {start: planned(start, fold) for start in STARTS}
    params = plans[STARTS[0]]
    known, split = read_known(raw, 0, params, 0), params.fold_split
    seed = params.base.seed if split.seed is None else split.seed
    folds = assign_folds(known.train, split.n_folds, split.strategy, seed)
    mosaics = known.train.set_index("id")["mosaic"]
    print(f"| labelled crops | {' | '.join(STARTS)} | difference, 95 % for other crops |")
    print("|---|---|---|---|", flush=True)
    for count in counts:
        lines, table = few(folds, fold, count), pd.DataFrame()
        for start, plan in plans.items():
            layout = workplace(work / f"{fold}-{count}-{start}")
            table[start] = scores(shortened(plan, count, seen), known, lines, layout)
        print(line(count, table, mosaics, params.threshold_search.bootstrap), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("raw", type=Path, help="folder of Kaggle's files")
    parser.add_argument("--counts", type=int, nargs="+", default=[50, 200, 800])
    parser.add_argument("--fold", type=int, default=0, help="held out")
    parser.add_argument("--crops", type=int, default=8000, help="seen in each training")
    parser.add_argument("--work", type=Path, default=Path("tmp/few-labels"))
    given = parser.parse_args()
    if min(*given.counts, given.crops) < 1:
        parser.error("--counts and --crops: give numbers from 1 up")
    with one_line_errors():
        main(given.raw, given.counts, given.fold, given.crops, given.work)
