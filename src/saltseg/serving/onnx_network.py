"""The trained pipeline as one network, from crops to probabilities, for export."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from saltseg.config.params import Params
from saltseg.inference.ensemble import find_predicting, member_shares
from saltseg.inference.predictor import snapshot_shares
from saltseg.inference.views import View, create_views
from saltseg.models import SaltNetwork, create_model
from saltseg.models.snapshots import load_snapshot
from saltseg.plumbing.layout import Layout

Weighted = tuple[SaltNetwork, float]


class PipelineNetwork(nn.Module):
    """The mean over all members, folds, snapshots and views, as the pipeline predicts test crops.

    The networks are as they were trained: a runtime folds what it can.
    """

    def __init__(self, networks: Sequence[Weighted], flip: bool, views: Sequence[View]) -> None:
        """Average `networks` by their weights, which sum to 1; flip, views: see `predict`."""
        super().__init__()
        self.networks = nn.ModuleList(network for network, _ in networks)
        self.shares = [share for _, share in networks]
        self.flip, self.views = flip, views

    def forward(self, images: Tensor, depth: Tensor | None = None) -> Tensor:
        """Return the probabilities of salt, float (n, 101, 101).

        images: uint8 (n, 101, 101). depth: float (n,) in feet, for networks that read it.
        """
        grey = images / 255
        feet = torch.zeros_like(grey[:, 0, 0]) if depth is None else depth
        total, seen = self._mean(grey, feet), torch.ones_like(grey[:1])
        for view in self.views:
            total = total + view.undo(self._mean(view.look(grey), feet))
            seen = seen + view.undo(torch.ones_like(grey[:1]))
        return total / seen

    def _mean(self, grey: Tensor, feet: Tensor) -> Tensor:
        """Return the weighted mean over networks, and over the mirror image."""
        looks = torch.cat([grey, grey.flip(-1)]) if self.flip else grey
        depths = torch.cat([feet, feet]) if self.flip else feet
        pairs = zip(self.networks, self.shares, strict=True)
        mean = torch.stack([share * each(looks, depths).sigmoid() for each, share in pairs]).sum(0)
        if not self.flip:
            return mean
        upright, mirrored = mean.unflatten(0, (2, -1)).unbind()
        return (upright + mirrored.flip(-1)) / 2


def pipeline_network(layout: Layout, params: Params) -> PipelineNetwork:
    """Return the network of a trained pipeline's folder.

    Raises InputError where snapshots are missing or damaged.
    """
    settings = params.snapshot_ensemble
    views = create_views(settings.shifts, settings.scales)
    return PipelineNetwork([*_networks(layout, params)], settings.flip, views).eval()


def _networks(layout: Layout, params: Params) -> Iterator[Weighted]:
    shares, folds = member_shares(params), len(params.train_per_fold.predicting)
    for (member, _), paths in find_predicting(layout, params).items():
        decay = params.snapshot_ensemble.snapshot_decay
        for path, share in zip(paths, snapshot_shares(len(paths), decay), strict=True):
            network = create_model(params.models[member], seed=0, weights=None)
            network.load_state_dict(load_snapshot(path))
            yield network, share * shares[member] / folds
