"""The effect on a finished run's score of where its thresholds are chosen.

    python -m benchmarks.threshold_choices

Run it in a checkout whose pipeline has run on several folds. A fold's threshold is chosen on the
other folds, whose models were trained on it. This compares that score with the one for thresholds
chosen on other mosaics of the same fold, which its models never saw, and with the one for the
maximum of a curve that is not smoothed. Intervals are over mosaics. A single choice is luck as much
as merit, so smoothing is also judged by many: thresholds are chosen on mosaics drawn with
replacement, and scored on those that were not drawn.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from saltseg.config.params import Params, load_params
from saltseg.plumbing.errors import InputError, one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.scoring.intervals import bootstrap_interval
from saltseg.scoring.metric import Scores, precision_curve
from saltseg.selection.nested_choice import (
    Integers,
    Preference,
    best_threshold,
    choose,
    middle_of_plateau,
    selection_parts,
    threshold_grid,
)
from saltseg.selection.out_of_fold import OutOfFold, load_out_of_fold

DRAWS = 2000
"""Choices by which smoothing is judged."""


def by_fold(known: OutOfFold, curve: Scores, best: Preference) -> Scores:
    """Return each crop's precision where its fold's threshold was chosen on the other folds."""
    return choose(curve, known.parts, best).scores


def within_folds(known: OutOfFold, curve: Scores, best: Preference) -> Scores:
    """Return it where the threshold was chosen on other mosaics of the crop's own fold."""
    folds, mosaics = known.table["fold"].to_numpy(), known.table["mosaic"].to_numpy()
    scores = np.empty(len(folds))
    for fold in np.unique(folds):
        own = folds == fold
        parts = selection_parts(folds[own], mosaics[own])
        scores[own] = choose(curve[own], parts, best).scores
    return scores


def by_many(known: OutOfFold, curve: Scores, best: Preference, draws: int, seed: int) -> Scores:
    """Return by how much the mean score of the mosaics not drawn is better than by the peak."""
    _, mosaic = np.unique(known.table["mosaic"].to_numpy(), return_inverse=True)
    rng = generator(seed, "threshold choices", "many")
    gains = []
    for _ in range(draws):
        times = np.bincount(rng.integers(0, mosaic.max() + 1, mosaic.max() + 1))
        drawn = np.pad(times, (0, mosaic.max() + 1 - len(times)))[mosaic]
        totals = np.rint(10 * drawn[:, None] * curve).astype(np.int64).sum(axis=0)
        left_out = curve[drawn == 0].mean(axis=0)
        gains.append(left_out[best(totals)] - left_out[peak(totals)])
    return np.array(gains)


def main(params: Params, layout: Layout) -> None:
    """Print both scores and their difference."""
    known = load_out_of_fold(layout)
    if known.table["fold"].nunique() == 1:
        raise InputError("params.yaml: train_per_fold.folds: one was trained; train several")
    search = params.threshold_search
    grid = threshold_grid(search.low, search.high, search.count)
    curve = precision_curve(known.probabilities, known.truth, grid)
    best = partial(best_threshold, grid=grid)
    one = by_fold(known, curve, best)
    print(f"chosen on the other folds                      {one.mean():.4f}")
    others = {
        "chosen on other mosaics of the same fold": within_folds(known, curve, best),
        "chosen without smoothing": by_fold(known, curve, peak),
    }
    for name, other in others.items():
        draws = generator(params.base.seed, "threshold choices")
        low, high = bootstrap_interval(
            other - one, known.table["mosaic"].tolist(), search.bootstrap, draws
        )
        print(f"{name:45}  {other.mean():.4f}")
        print(f"difference, 95 %            {(other - one).mean():+.4f}, {low:+.4f} to {high:+.4f}")
    gains = by_many(known, curve, best, DRAWS, params.base.seed)
    share = (gains < 0).mean()
    print(f"smoothing's gain, {DRAWS} choices {gains.mean():+.4f}, worse in {share:.0%} of them")


def peak(totals: Integers) -> int:
    """Return the best threshold of a curve as it is."""
    return middle_of_plateau(totals.astype(np.float64))


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with one_line_errors():
        main(load_params(Layout(Path()).params), Layout(Path()))
