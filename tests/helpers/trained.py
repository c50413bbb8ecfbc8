"""A tiny pipeline that has run to its end in this process, on networks that nobody trained."""

from pathlib import Path

import numpy as np
import torch
import yaml

from saltseg.config.params import Params, load_params
from saltseg.crops.crop_set import CropSet, load_array, save_crops
from saltseg.models import create_model
from saltseg.models.snapshots import save_snapshots
from saltseg.plumbing.files import write_text
from saltseg.plumbing.layout import Layout
from saltseg.selection.pseudolabels import no_pseudolabels, save_pseudolabels
from stages import (
    coverage_stratify,
    fold_split,
    postprocess_connected_components,
    snapshot_ensemble,
    submit,
    threshold_search,
)
from tests.conftest import shrunk_content


def run_untrained(root: Path, crops: CropSet) -> Layout:
    """Run all stages below `root` but those that learn; nothing of it is recorded in MLflow."""
    layout, content = Layout(root), shrunk_content()
    layout.params.write_text(yaml.safe_dump(content, sort_keys=False))
    write_text(root / "requirements.lock", "numpy==2")
    save_crops(layout.data("ingest"), crops)
    coverage_stratify.main(root)
    fold_split.main(root)
    params = load_params(layout.params)
    for fold in params.train_per_fold.folds:
        save_pseudolabels(layout.data("pseudolabel", fold), no_pseudolabels())
    write_snapshots(layout, params)
    snapshot_ensemble.main(root)
    probabilities = load_array(layout.data("snapshot-ensemble") / "test.npy")
    low, high = np.quantile(probabilities.astype(np.float64), [0.3, 0.7])
    # Any threshold that may be chosen is one that parts the pixels.
    content["threshold_search"] |= {"low": float(low), "high": float(high), "count": 5}
    layout.params.write_text(yaml.safe_dump(content, sort_keys=False))
    for stage in (threshold_search, postprocess_connected_components, submit):
        stage.main(root)
    return layout


def write_snapshots(layout: Layout, params: Params) -> None:
    """Write two snapshots of every member and fold, random, and sure of what they say."""
    for member in params.train_per_fold.members:
        for fold in params.train_per_fold.folds:
            networks = [create_model(params.models[member], 2 * fold + i, None) for i in (0, 1)]
            states = [sharpened(network.state_dict()) for network in networks]
            save_snapshots(layout.model(member, fold), states)


def sharpened(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Make random networks differ from pixel to pixel, as trained ones do."""
    return {
        name: torch.zeros_like(values) if name.endswith("bias") else 3 * values
        for name, values in state.items()
    }
