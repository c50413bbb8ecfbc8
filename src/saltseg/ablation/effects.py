"""The effect of a change, from paired scores: the difference and its uncertainty."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.seeds import generator
from saltseg.scoring.intervals import TAIL, bootstrap_interval

Scores = Mapping[int, pd.DataFrame]
"""Scores by seed: a line per crop with `id`, `fold`, `mosaic` and scores, as in
out_of_fold_scores.parquet."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Design:
    """The design that base and variant share.

    folds: number of folds that the crops are divided into, trained or not.
    new_crops: each seed has its own crops, as on the survey; else all seeds share them.
    resamples: of the bootstrap over mosaics, for each variant.
    variants: number compared with the base. Intervals are widened so that all of them together
        hold at 95 %: each at 1 - .05 / variants, by Bonferroni's inequality (Dunn 1961, "Multiple
        comparisons among means").
    """

    folds: int
    new_crops: bool
    resamples: int
    variants: int

    @property
    def tail(self) -> float:
        """The share of the distribution beyond each end of an interval."""
        return TAIL / self.variants


@dataclass(frozen=True)
class Effect:
    """Variant less base, in one of the scores.

    difference: mean over the crops of all seeds.
    pairs: lines `seed`, `fold`, `crops`, `difference`, the mean over the fold's crops.
    spread: standard deviation of the pairs' differences; None for a single pair.
    over_pairs: interval over networks trained again; None for a single pair.
    over_mosaics: interval for these trained networks on other crops.
    """

    difference: float
    pairs: pd.DataFrame
    spread: float | None
    over_pairs: Interval | None
    over_mosaics: Interval


def paired_effect(base: Scores, variant: Scores, design: Design, score: str) -> Effect:
    """Compare a variant with its base, crop by crop, on the same seeds, in the column `score`.

    The interval over pairs is the corrected one for repeated cross-validation (Nadeau and Bengio
    2003, "Inference for the generalization error"; Bouckaert and Frank 2004): Student's t with the
    variance times 1/pairs + test crops/training crops, because trainings on one set of crops share
    most of them. Where each seed has new crops, the second term shrinks with their number.
    The interval over mosaics is that of intervals.bootstrap_interval, of the differences; more
    variants take more resamples, so that as many lie beyond its ends.

    Raises InputError if the two are not scores of the same crops.
    """
    crops = pd.concat([_joined(seed, base[seed], variant[seed], score) for seed in base])
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
        design.resamples * design.variants,
        generator(0, "ablate"),
        design.tail,
    )
    over_pairs = None if half_width is None else (difference - half_width, difference + half_width)
    return Effect(difference, pairs, spread, over_pairs, over_mosaics)


def _joined(seed: int, base: pd.DataFrame, variant: pd.DataFrame, score: str) -> pd.DataFrame:
    """Join the crops by id; fold and mosaic are the base's."""
    joined = base.merge(variant[["id", score]], on="id", suffixes=("", "_variant"))
    if not len(joined) == len(base) == len(variant):
        raise InputError(
            f"seed {seed}: base and variant share {len(joined):,} of {len(base):,} and "
            f"{len(variant):,} crops; compare changes that leave the crops and their folds alone"
        )
    difference = joined[f"{score}_variant"] - joined[score]
    return joined.assign(seed=seed, difference=difference)


def _half_width(spread: float, pairs: int, seeds: int, design: Design) -> float:
    test_to_training = 1 / (design.folds - 1)
    shared = test_to_training / (seeds if design.new_crops else 1)
    quantile = float(student.ppf(1 - design.tail, pairs - 1))
    return quantile * spread * float(np.sqrt(1 / pairs + shared))
