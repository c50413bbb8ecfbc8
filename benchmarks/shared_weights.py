"""The effect of version 0.1.0's shared weights on the test predictions of a finished pipeline.

    python -m benchmarks.shared_weights

Predicts the test crops twice with this project's models: as 0.1.0 did, whose snapshots shared the
biases of the network they were loaded into, and correctly. Prints the share of crops whose masks
differ and, if the truth of the test crops is known, both scores.
"""

import argparse
import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from saltseg.config.params import Params, load_params
from saltseg.crops.crop_set import CropSet, depth, load_crops
from saltseg.inference.ensemble import find_snapshots, load_parts
from saltseg.models.fast.folding import fold_normalisation, fold_snapshots
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.scoring.components import clean
from saltseg.scoring.metric import precision, salt_masks
from saltseg.scoring.submission import read_masks

Masks = npt.NDArray[np.bool_]
Folded = tuple[nn.Module, list[dict[str, Tensor]]]
Fold = Callable[[nn.Module, Sequence[Mapping[str, Tensor]]], Folded]


def shared(network: nn.Module, snapshots: Sequence[Mapping[str, Tensor]]) -> Folded:
    """Fold as 0.1.0 did: the first snapshot's weights are the network's own memory."""
    folded = [copy.deepcopy(network) for _ in snapshots]
    for each, weights in zip(folded, snapshots, strict=True):
        each.load_state_dict(weights)
        fold_normalisation(each)
    return folded[0], [each.state_dict() for each in folded]


def test_masks(params: Params, layout: Layout, crops: CropSet, fold: Fold) -> Masks:
    """Return the final masks of the test crops, predicted by each part's second call."""
    mean = np.zeros(crops.test_images.shape, np.float32)
    with patch("saltseg.inference.predictor.fold_snapshots", fold):
        parts = list(load_parts(params, find_snapshots(layout, params)))
    for part in parts:
        part.predict(crops.test_images[:1], depth(crops.test)[:1])
        name = f"{part.member} of fold {part.fold} predicts"
        mean += part.test_share * part.predict(crops.test_images, depth(crops.test), name=name)
    thresholds = read_json(layout.data("threshold-search") / "thresholds.json")
    sizes = read_json(layout.data("postprocess-connected-components") / "sizes.json")
    masks = salt_masks(mean.astype(np.float16), thresholds["threshold"])
    return clean(masks, sizes["salt_size"], sizes["hole_size"])


def main(layout: Layout) -> None:
    """Print what differs."""
    params, crops = load_params(layout.params), load_crops(layout.data("ingest"))
    right = test_masks(params, layout, crops, fold_snapshots)
    wrong = test_masks(params, layout, crops, shared)
    differ = (right != wrong).any(axis=(1, 2)).mean()
    pixels = (right != wrong).mean()
    print(f"masks that differ: {differ:.1%} of {len(right):,}; pixels: {pixels:.2%}")
    truth = layout.truth / "test.csv"
    if truth.exists():
        known = read_masks(truth, crops.test["id"].tolist())
        for name, masks in (("as 0.1.0 predicts", wrong), ("right", right)):
            print(f"test score, {name}: {precision(masks, known).mean():.4f}")


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with one_line_errors():
        main(Layout(Path()))
