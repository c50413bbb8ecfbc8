"""Ways to average a finished run's snapshots and flips, on its out-of-fold crops.

    python -m benchmarks.averaging

Run it in a checkout whose pipeline has run. Each method has its own nested threshold, and is
compared with the mean of all probabilities crop by crop; intervals are over mosaics.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from benchmarks.training_curve import nested
from saltseg.config.params import Params, load_params
from saltseg.crops.crop_set import CropSet, depth, load_crops
from saltseg.inference.ensemble import find_snapshots, load_parts
from saltseg.inference.predictor import snapshot_shares
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.seeds import generator
from saltseg.scoring.intervals import bootstrap_interval
from saltseg.selection.out_of_fold import OutOfFold, load_out_of_fold

Probabilities = npt.NDArray[np.float32]
Views = npt.NDArray[np.float32]
"""Probabilities of shape (members, snapshots, 2, n, h, w): plain and flipped."""

MEAN, FAST = "mean of probabilities", "one network of the snapshots' mean weights (members fast)"
SURE = 1e-6
"""Probabilities are clipped to this distance from 0 and 1 for a mean of logits."""
DECAY = 0.7


def aged(views: Views) -> Probabilities:
    """Return the mean with weights that decay with a snapshot's age, as the 28th place did."""
    shares = np.array(snapshot_shares(views.shape[1], DECAY), np.float32)
    mean: Probabilities = np.tensordot(shares, views.mean(axis=(0, 2)), axes=1)
    return mean


WAYS: dict[str, Callable[[Views], Probabilities]] = {
    MEAN: lambda views: views.mean(axis=(0, 1, 2)),
    "mean of logits": lambda views: expit(
        logit(views.clip(SURE, 1 - SURE)).mean(axis=(0, 1, 2), dtype=np.float32)
    ),
    "median of probabilities": lambda views: np.median(views, axis=(0, 1, 2)),
    f"weights falling by {DECAY} with a snapshot's age": aged,
    "last snapshot alone": lambda views: views[:, -1].mean(axis=(0, 1)),
    "first snapshot alone": lambda views: views[:, 0].mean(axis=(0, 1)),
    "no mirror images": lambda views: views[:, :, 0].mean(axis=(0, 1)),
}


def predict_views(params: Params, layout: Layout, crops: CropSet, known: OutOfFold) -> Views:
    """Predict the out-of-fold crops with each snapshot of the models that never saw them."""
    settings = {"flip": False, "shifts": [], "scales": []}
    plain = params.model_copy(
        update={"snapshot_ensemble": params.snapshot_ensemble.model_copy(update=settings)}
    )
    snapshots = find_snapshots(layout, params)
    members = params.train_per_fold.members
    count = len(next(iter(snapshots.values())))
    views = np.zeros((len(members), count, 2, *known.probabilities.shape), np.float32)
    for (member, fold), paths in snapshots.items():
        lines = np.flatnonzero(known.table["fold"] == fold)
        rows = known.table["row"].to_numpy()[lines]
        images, feet = crops.train_images[rows], depth(crops.train)[rows]
        for number, path in enumerate(paths):
            (part,) = load_parts(plain, {(member, fold): [path]})
            name = f"snapshot {number} of {member}, fold {fold}"
            mirrored = np.ascontiguousarray(images[..., ::-1])
            of_snapshot = views[members.index(member), number]
            of_snapshot[0, lines] = part.predict(images, feet, name=name)
            of_snapshot[1, lines] = part.predict(mirrored, feet, name=name)[..., ::-1]
    return views


def predict_fast(params: Params, layout: Layout, crops: CropSet, known: OutOfFold) -> Probabilities:
    """Predict them with one network a member and fold, of its snapshots' mean weights."""
    total = np.zeros(known.probabilities.shape, np.float32)
    for part in load_parts(params, find_snapshots(layout, params), fast=True):
        lines = np.flatnonzero(known.table["fold"] == part.fold)
        rows = known.table["row"].to_numpy()[lines]
        total[lines] += part.share * part.predict(
            crops.train_images[rows], depth(crops.train)[rows]
        )
    return total


def main(layout: Layout) -> None:
    """Print one line per method."""
    params = load_params(layout.params)
    known = load_out_of_fold(layout)
    crops = load_crops(layout.data("ingest"))
    views = predict_views(params, layout, crops, known)
    means = {name: way(views) for name, way in WAYS.items()}
    means[FAST] = predict_fast(params, layout, crops, known)
    scores = {
        name: nested(params, mean.astype(np.float16), known.truth, known.parts)
        for name, mean in means.items()
    }
    mosaics = known.table["mosaic"].astype(str).tolist()
    resamples = params.threshold_search.bootstrap
    print("| way | nested precision | difference, 95 % |\n|---|---|---|")
    for name, values in scores.items():
        difference = values - scores[MEAN]
        low, high = bootstrap_interval(difference, mosaics, resamples, generator(0, name))
        interval = "" if name == MEAN else f"{difference.mean():+.4f}, {low:+.4f} to {high:+.4f}"
        print(f"| {name} | {values.mean():.4f} | {interval} |")


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with one_line_errors():
        main(Layout(Path()))
