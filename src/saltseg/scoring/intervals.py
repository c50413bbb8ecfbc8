"""Intervals of mean scores by the bootstrap (Efron 1979), over groups that stand or fall together.

By hand: scipy.stats.bootstrap resamples single observations, not groups, and its import takes two
seconds.
"""

from collections.abc import Sequence

import numpy as np

from saltseg.scoring.metric import Scores


def bootstrap_interval(
    scores: Scores, groups: Sequence[str], resamples: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Return the interval that holds the mean of `scores`, shape (n,), at 95 %.

    Percentiles 2.5 and 97.5 over resamples of whole groups: crops of one mosaic show the same
    salt, and are no independent evidence. Name each crop as its own group to resample crops.
    """
    return bootstrap_intervals([scores], groups, resamples, generator)[0]


def bootstrap_intervals(
    scores: Sequence[Scores], groups: Sequence[str], resamples: int, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """Return bootstrap_interval's of several scores of the same crops, from the same resamples."""
    _, members = np.unique(np.asarray(groups, object), return_inverse=True)
    sizes = np.bincount(members)
    sums = [np.bincount(members, each) for each in scores]
    means = np.empty((len(sums), resamples))
    for index in range(resamples):
        drawn = generator.integers(len(sizes), size=len(sizes))
        means[:, index] = [each[drawn].sum() / sizes[drawn].sum() for each in sums]
    quantiles = [np.quantile(each, [0.025, 0.975]) for each in means]
    return [(float(low), float(high)) for low, high in quantiles]
