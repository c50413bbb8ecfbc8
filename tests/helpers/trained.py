"""A tiny pipeline that has run to its end in this process, on networks that nobody trained."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import nn

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.params import Params, load_params
from saltseg.config.snapshot_counts import expected_snapshots
from saltseg.crops.crop_set import CropSet, load_array, save_crops
from saltseg.models import SaltNetwork, create_model
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


def run_untrained(root: Path, crops: CropSet, **settings: dict[str, Any]) -> Layout:
    """Run all stages below `root` but those that learn; nothing of it is recorded in MLflow.

    settings: changes to sections of the shrunk parameters, by their names.
    """
    layout, content = Layout(root), shrunk_content()
    content["models"]["class_unet"] |= {"blocks": "residual"}  # whose normalisation is folded
    for name, changes in settings.items():
        content[name] |= changes
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
    """Write the snapshots of every member and fold, random, and sure of what they say."""
    settings = params.train_per_fold
    count = expected_snapshots(settings.phases)
    for number, (member, fold) in enumerate(product(settings.members, settings.folds)):
        seeds = range(number * count, (number + 1) * count)
        networks = [random_network(params.models[member], seed) for seed in seeds]
        save_snapshots(layout.model(member, fold), [each.state_dict() for each in networks])


def random_network(definition: ModelDefinition, seed: int) -> SaltNetwork:
    """Return a network whose predictions tell it from others, and one pixel from another.

    Where there is batch normalisation, its statistics are those of noise, as if of a training:
    without them logits are in the millions, and rounding shows in the probabilities.
    """
    network = create_model(definition, seed, None).eval()
    normalisations = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    if not normalisations:
        network.load_state_dict(sharpened(network.state_dict()))
    generator = torch.Generator().manual_seed(seed)
    for each in normalisations:
        nn.init.normal_(each.bias, std=0.5, generator=generator)
        nn.init.uniform_(each.weight, 0.5, 1.5, generator=generator)
        each.momentum = None  # the mean of all that it sees
        each.train()
    with torch.no_grad():
        network(torch.rand(4, 101, 101, generator=generator), torch.linspace(100, 900, 4))
        if normalisations:
            *_, last = (each for each in network.modules() if isinstance(each, nn.Conv2d))
            last.weight *= 3
    return network.eval()


def sharpened(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Make random networks differ from pixel to pixel, as trained ones do."""
    return {
        name: torch.zeros_like(values) if name.endswith("bias") else 3 * values
        for name, values in state.items()
    }
