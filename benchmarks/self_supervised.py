"""Self-supervised pretraining of an encoder: reconstructing masked patches, without labels.

    python benchmarks/self_supervised.py [--epochs 8] [--out weights/lite0-patches.safetensors]

Trains the first member of params.yaml on all crops of data/ingest, train and test, to reconstruct
half of their 8 x 8 px patches, replaced by mean grey (masked autoencoders: He et al. 2022;
here convolutional, as in Tian et al. 2023). The encoder starts from the weights in
params.yaml; the result is a weight file for a network, and
`saltseg ablate BASE --vary models.NAME.weights=FILE` measures its effect.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import get_encoder
from torch.nn import functional

from saltseg.config.model_definitions import CROP, UnetModel
from saltseg.config.params import Params, load_params
from saltseg.crops.crop_set import CropSet, depth, load_crops
from saltseg.learning.batches import Batch
from saltseg.learning.learner import Learner
from saltseg.learning.schedules import one_cycle
from saltseg.models import create_model
from saltseg.models.devices import create_fabric
from saltseg.models.outputs import Outputs
from saltseg.models.snapshots import Weights
from saltseg.models.weights import load_pretrained
from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import whole_file
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.progress import progress
from saltseg.plumbing.seeds import generator

PATCH = 8
HIDDEN = 0.5
PEAK, END = 2e-3, 2e-5


def batches(crops: CropSet, size: int, epochs: int, seed: int) -> Iterator[Batch]:
    """Yield images with masked patches, and the standardised targets, NaN in visible pixels."""
    images = np.concatenate([crops.train_images, crops.test_images])
    feet = np.concatenate([depth(crops.train), depth(crops.test)])
    for epoch in range(epochs):
        draws = generator(seed, "patches", epoch)
        order = draws.permutation(len(images))
        for rows in np.array_split(order, len(order) // size):
            seen, target = hide(images[rows], draws)
            yield torch.from_numpy(seen), torch.from_numpy(target), torch.from_numpy(feet[rows])


def hide(
    images: npt.NDArray[np.uint8], draws: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Return crops with half of their patches in mean grey, flipped half the time, and targets."""
    if draws.random() < 0.5:
        images = images[:, :, ::-1]
    side = -(-CROP // PATCH)
    patches = draws.random((len(images), side, side)) < HIDDEN
    hidden = patches.repeat(PATCH, axis=1).repeat(PATCH, axis=2)[:, :CROP, :CROP]
    mean = images.mean(axis=(1, 2), keepdims=True)
    spread = images.std(axis=(1, 2), keepdims=True) + 1
    target = np.where(hidden, (images - mean) / spread, np.nan).astype(np.float32)
    return np.where(hidden, mean, images).astype(np.uint8), target


def loss(outputs: Outputs, target: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute error over the masked pixels."""
    hidden = ~target.isnan()
    return functional.l1_loss(outputs.logits[hidden], target[hidden])


def learn(params: Params, layout: Layout, name: str, epochs: int) -> Weights:
    """Return the encoder's weights after `epochs` over all crops."""
    fabric = create_fabric(params.runtime)
    network = create_model(params.models[name], params.base.seed, layout.weights)
    network = network.to(memory_format=torch.channels_last)
    learner = Learner(network, params.training.optimizer, fabric)
    learner.model.train()
    crops = load_crops(layout.data("ingest"))
    size = params.training.batch_size
    steps = epochs * (len(crops.table) // size)
    errors = []
    work = batches(crops, size, epochs, params.base.seed)
    for step, batch in enumerate(progress(work, "batches", steps)):
        errors.append(float(learner.step(batch, loss, one_cycle(step, steps, PEAK, END))))
        if (step + 1) % max(steps // 10, 1) == 0:
            print(f"{step + 1:,} of {steps:,}: error {np.mean(errors):.3f}", flush=True)
            errors = []
    return {
        key.removeprefix("body.encoder."): tensor
        for key, tensor in learner.copy_weights().items()
        if key.startswith("body.encoder.")
    }


def whole_encoder(definition: UnetModel, learned: Weights, weights: Path) -> Weights:
    """Return the weights in the format of the encoder's package: three channels, all stages."""
    colours = definition.input.model_copy(update={"channels": ["image"] * 3})
    levels = len(definition.decoder_channels)
    encoder = get_encoder(definition.encoder, in_channels=3, depth=levels, weights=None)
    load_pretrained(encoder, definition.model_copy(update={"input": colours}), weights)
    state: Weights = encoder.state_dict()
    first = next(iter(state))
    grey = learned[first]
    return state | learned | {first: (grey / 3).expand(-1, 3, -1, -1).contiguous()}


def main() -> None:
    """Train, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("weights/lite0-patches.safetensors"))
    options = parser.parse_args()
    layout = Layout(Path())
    params = load_params(layout.params)
    name = params.train_per_fold.members[0]
    definition = params.models[name]
    if not isinstance(definition, UnetModel):
        raise SystemExit(
            f"params.yaml: models.{name}: has no encoder; name a U-Net as first member"
        )
    learned = learn(params, layout, name, options.epochs)
    with whole_file(options.out) as path:
        save_file(whole_encoder(definition, learned, layout.weights), path)


if __name__ == "__main__":
    with one_line_errors():
        main()
