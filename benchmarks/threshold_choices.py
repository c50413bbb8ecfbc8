"""The effect on a finished run's score of where its thresholds are chosen.

    python -m benchmarks.threshold_choices

Run it in a checkout whose pipeline has run on several folds. A fold's threshold is chosen on the
other folds, whose models were trained on it. This compares that score with the one for thresholds
chosen on other mosaics of the same fold, which its models never saw. Intervals are over mosaics.
"""

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
    Preference,
    best_threshold,
    choose,
    selection_parts,
    threshold_grid,
)
from saltseg.selection.out_of_fold import OutOfFold, load_out_of_fold


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


def main(params: Params, layout: Layout) -> None:
    """Print both scores and their difference."""
    known = load_out_of_fold(layout)
    if known.table["fold"].nunique() == 1:
        raise InputError("params.yaml: train_per_fold.folds: one was trained; train several")
    search = params.threshold_search
    grid = threshold_grid(search.low, search.high, search.count)
    curve = precision_curve(known.probabilities, known.truth, grid)
    best = partial(best_threshold, grid=grid)
    one, other = by_fold(known, curve, best), within_folds(known, curve, best)
    draws = generator(params.base.seed, "threshold choices")
    low, high = bootstrap_interval(
        other - one, known.table["mosaic"].tolist(), search.bootstrap, draws
    )
    print(f"chosen on the other folds                      {one.mean():.4f}")
    print(f"chosen on other mosaics of the same fold       {other.mean():.4f}")
    print(f"difference, 95 %            {(other - one).mean():+.4f}, {low:+.4f} to {high:+.4f}")


if __name__ == "__main__":
    with one_line_errors():
        main(load_params(Layout(Path()).params), Layout(Path()))
