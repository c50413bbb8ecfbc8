"""One network in place of several snapshots: their weights averaged."""

from collections.abc import Sequence

import torch

from saltseg.models.snapshots import Weights

_MEAN, _VARIANCE = "running_mean", "running_var"


def averaged(snapshots: Sequence[Weights], shares: Sequence[float]) -> Weights:
    """Return the mean of snapshots of one training, weighted by `shares`, which sum to 1.

    Source: Izmailov et al. 2018 (SWA), Wortsman et al. 2022 (model soups). The statistics of batch
    normalisation are those of the mixture of the snapshots' activations; computing them again would
    take training crops. Counters are those of the last snapshot.
    """
    result: Weights = {}
    for name, last in snapshots[-1].items():
        if not last.is_floating_point():
            result[name] = last.clone()
            continue
        result[name] = _mean([each[name] for each in snapshots], shares)
        if name.endswith(_VARIANCE):
            means = [each[name.removesuffix(_VARIANCE) + _MEAN] for each in snapshots]
            between = _mean([mean**2 for mean in means], shares) - _mean(means, shares) ** 2
            result[name] += between.clamp(min=0)
    return result


def _mean(tensors: Sequence[torch.Tensor], shares: Sequence[float]) -> torch.Tensor:
    total = torch.zeros_like(tensors[0])
    for tensor, share in zip(tensors, shares, strict=True):
        total += share * tensor
    return total
