"""A slow, simple prediction of test crops, to check the fast one against.

    python -m saltseg.inference.plain_prediction ROOT FILE ROW...

Predicts the test crops in the given rows with the networks in ROOT/models, and writes their
probabilities to FILE. Every snapshot gets its own network as it was trained: nothing is folded, and
no network is reused. It predicts one crop at a time, in float32. Only the networks and the views
are shared with saltseg.inference.predictor.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from saltseg.config.params import Params, load_params
from saltseg.crops.crop_set import CropSet, depth, load_crops
from saltseg.inference.ensemble import find_predicting, member_shares
from saltseg.inference.outside import TEST, load_outside
from saltseg.inference.views import View, create_views
from saltseg.models import SaltNetwork, create_model
from saltseg.models.devices import available_runtime, create_fabric
from saltseg.models.snapshots import load_snapshot
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import write_array
from saltseg.plumbing.layout import Layout
from saltseg.selection.greedy_weights import chosen_params


def predict_plainly(layout: Layout, params: Params, rows: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return the mean over all members for the test crops in `rows`: float32 (rows, h, w).

    What comes from outside is read again. Raises InputError if a file is missing or damaged.
    """
    params = chosen_params(layout, params)
    crops = load_crops(layout.data("ingest"))
    images = torch.from_numpy(crops.test_images[list(rows)]) / 255
    feet = torch.from_numpy(depth(crops.test)[list(rows)])
    total = np.zeros(images.shape)
    weights = 0.0
    for network, weight in _networks(layout, params):
        for place in range(len(images)):
            one = slice(place, place + 1)
            total[place] += weight * _probabilities(network, images[one], feet[one], params)
        weights += weight
    own = _own_share(params) * total / weights if weights else total  # no network has a weight
    return (own + _outside(layout, params, crops, rows)).astype(np.float32)


def _own_share(params: Params) -> float:
    """Return the share of all members that are networks."""
    shares = member_shares(params)
    return sum(shares[member] for member in params.train_per_fold.members)


def _outside(
    layout: Layout, params: Params, crops: CropSet, rows: Sequence[int]
) -> npt.NDArray[np.float64]:
    """Return the part of the mean that members from outside have: (rows, h, w)."""
    total = np.zeros((len(rows), *crops.test_images.shape[1:]))
    ids = crops.test["id"].tolist()
    for member in params.snapshot_ensemble.outside:
        said = load_outside(layout.outside(member), TEST, ids, set(ids))
        total += member_shares(params)[member] * said.read(list(rows))
    return total


def _networks(layout: Layout, params: Params) -> Iterator[tuple[SaltNetwork, float]]:
    """Yield every network and its weight in the mean, which decays with the snapshot's age."""
    runtime = available_runtime(params.runtime).model_copy(update={"precision": "float32"})
    fabric, settings = create_fabric(runtime), params.snapshot_ensemble
    for (member, _), paths in find_predicting(layout, params).items():
        for age, path in enumerate(reversed(paths)):
            network = create_model(params.models[member], seed=0, weights=None)
            network.load_state_dict(load_snapshot(path))
            weight = settings.member_weights.get(member, 1.0) * settings.snapshot_decay**age
            yield network.to(fabric.device).eval(), weight


@torch.inference_mode()
def _probabilities(
    network: SaltNetwork, image: torch.Tensor, feet: torch.Tensor, params: Params
) -> npt.NDArray[np.float64]:
    """Return the mean over views and flips, for each pixel over the views that show it: (h, w)."""
    settings = params.snapshot_ensemble
    device = next(network.parameters()).device
    shown, seen = np.zeros(image.shape[1:]), np.zeros(image.shape[1:])
    for view in (View(), *create_views(settings.shifts, settings.scales)):
        for mirrored in (False, True) if settings.flip else (False,):
            looked = view.look(image).to(device)
            logits = network(looked.flip(-1) if mirrored else looked, feet.to(device)).cpu()
            probabilities = (logits.flip(-1) if mirrored else logits).sigmoid()
            shown += view.undo(probabilities)[0].double().numpy()
            seen += view.undo(torch.ones_like(image))[0].double().numpy()
    return shown / seen


def main(root: Path, file: Path, rows: Sequence[int]) -> None:
    """Predict the crops in `rows` of the project at `root`, and write `file`."""
    layout = Layout(root)
    write_array(file, predict_plainly(layout, load_params(layout.params), rows))


if __name__ == "__main__":
    with one_line_errors():
        main(Path(sys.argv[1]), Path(sys.argv[2]), [int(row) for row in sys.argv[3:]])
