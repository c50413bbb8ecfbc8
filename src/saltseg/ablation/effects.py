"""What a change does, from pairs of scores: the difference and how far it may be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.seeds import generator
from saltseg.scoring.intervals import bootstrap_interval

Scores = Mapping[int, pd.DataFrame]
"""By seed, the crops' lines `id`, `fold`, `mosaic`, `after`: out_of_fold_scores.parquet."""

Interval = tuple[float, float]

_LEVEL = 0.95


@dataclass(frozen=True)
class Design:
    """What a comparison has to know of base and variant alike.

    folds: that the crops are divided into, trained or not.
    new_crops: each seed has crops of its own, as the survey's have; else all share them.
    resamples: of the bootstrap over mosaics.
    """

    folds: int
    new_crops: bool
    resamples: int


@dataclass(frozen=True)
class Effect:
    """Variant less base, in nested out-of-fold score.

    difference: mean over the crops of all seeds.
    pairs: lines `seed`, `fold`, `crops`, `difference`, the mean over the fold's crops.
    spread: standard deviation of the pairs' differences; None for a single pair.
    over_pairs: 95 % interval for the change itself, trained anew; None for a single pair.
    over_mosaics: 95 % interval for these trained networks on other crops.
    """

    difference: float
    pairs: pd.DataFrame
    spread: float | None
    over_pairs: Interval | None
    over_mosaics: Interval


def paired_effect(base: Scores, variant: Scores, design: Design) -> Effect:
    """Compare a variant with its base, crop by crop, on the same seeds.

    The interval over pairs is the corrected one for repeated cross-validation (Nadeau and Bengio
    2003, "Inference for the generalization error"; Bouckaert and Frank 2004): Student's t with the
    variance times 1/pairs + test crops/training crops, for trainings of one set of crops share
    most of them. Where each seed has new crops, the second term shrinks with their number.
    The interval over mosaics is that of intervals.bootstrap_interval, of the differences.

    Raises InputError where the two are not scores of the same crops.
    """
    crops = pd.concat([_joined(seed, base[seed], variant[seed]) for seed in base])
    pairs = (
        crops.groupby(["seed", "fold"])["difference"].agg(["size", "mean"]).reset_index()
    ).rename(columns={"size": "crops", "mean": "difference"})
    difference = float(crops["difference"].mean())
    spread, half_width = None, None
    if len(pairs) > 1:
        spread = float(pairs["difference"].std(ddof=1))
        half_width = _half_width(spread, len(pairs), len(base), design)
    groups = crops["mosaic"].astype(str)
    if design.new_crops:
        groups = crops["seed"].astype(str) + "/" + groups
    over_mosaics = bootstrap_interval(
        crops["difference"].to_numpy(np.float64),
        groups.tolist(),
        design.resamples,
        generator(0, "ablate"),
    )
    over_pairs = None if half_width is None else (difference - half_width, difference + half_width)
    return Effect(difference, pairs, spread, over_pairs, over_mosaics)


def _joined(seed: int, base: pd.DataFrame, variant: pd.DataFrame) -> pd.DataFrame:
    """Pair the crops by id; fold and mosaic are the base's."""
    joined = base.merge(variant[["id", "after"]], on="id", suffixes=("", "_variant"))
    if not len(joined) == len(base) == len(variant):
        raise InputError(
            f"seed {seed}: base and variant share {len(joined):,} of {len(base):,} and "
            f"{len(variant):,} crops; compare what leaves the crops and their folds alone"
        )
    difference = joined["after_variant"] - joined["after"]
    return joined.assign(seed=seed, difference=difference)


def _half_width(spread: float, pairs: int, seeds: int, design: Design) -> float:
    test_to_training = 1 / (design.folds - 1)
    shared = test_to_training / (seeds if design.new_crops else 1)
    quantile = float(student.ppf((1 + _LEVEL) / 2, pairs - 1))
    return quantile * spread * float(np.sqrt(1 / pairs + shared))
