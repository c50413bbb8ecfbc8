"""Intervals of mean scores by the cluster bootstrap (Efron 1979), which resamples whole groups.

Not scipy.stats.bootstrap, which resamples single observations and takes two seconds to import.
"""

from collections.abc import Sequence

import numpy as np

from saltseg.scoring.metric import Scores

TAIL = 0.025
"""The share of resamples beyond each end of a 95 % interval."""


def bootstrap_interval(
    scores: Scores,
    groups: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
    tail: float = TAIL,
) -> tuple[float, float]:
    """Return the interval of the mean of `scores`, shape (n,): 95 %, unless `tail` is another.

    Quantiles `tail` and 1 - `tail` over resamples of whole groups: crops of one mosaic show the
    same salt and are not independent. To resample crops, make each crop its own group.
    """
    return bootstrap_intervals([scores], groups, resamples, generator, tail)[0]


def bootstrap_intervals(
    scores: Sequence[Scores],
    groups: Sequence[str],
    resamples: int,
    generator: np.random.Generator,
    tail: float = TAIL,
) -> list[tuple[float, float]]:
    """Return the intervals of several scores of the same crops, from the same resamples."""
    _, members = np.unique(np.asarray(groups, object), return_inverse=True)
    sizes = np.bincount(members)
    sums = [np.bincount(members, each) for each in scores]
    means = np.empty((len(sums), resamples))
    for index in range(resamples):
        drawn = generator.integers(len(sizes), size=len(sizes))
        means[:, index] = [each[drawn].sum() / sizes[drawn].sum() for each in sums]
    quantiles = [np.quantile(each, [tail, 1 - tail]) for each in means]
    return [(float(low), float(high)) for low, high in quantiles]
