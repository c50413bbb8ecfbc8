"""A training step beside one with PyTorch's plain defaults: same network, batch and loss."""

import torch
from torch.nn import functional

from benchmarks.parts.networks import (
    PlainNetwork,
    cropped,
    default_network,
    default_params,
    padded,
    plain_defaults,
)
from benchmarks.side_by_side import Row, compare, fact_row
from benchmarks.smooth_crops import images, probabilities_and_truths
from saltseg.learning.learner import Learner
from saltseg.learning.losses import create_loss
from saltseg.models.devices import create_fabric

BATCH = 32
RATE = 1e-4


def rows() -> list[Row]:
    """Measure the demo's network on two threads, or on the GPU where there is one."""
    params = default_params()
    fabric = create_fabric(params.runtime)
    crops = torch.from_numpy(images(BATCH))
    masks = torch.from_numpy(probabilities_and_truths(BATCH)[1].astype("float32"))
    depth = torch.zeros(BATCH)
    network = default_network().to(memory_format=torch.channels_last)
    learner = Learner(network, params.training.optimizer, fabric)
    learner.model.train()
    loss_function = create_loss({"bce": 1.0})
    plain = PlainNetwork().to(fabric.device).train()
    optimizer = torch.optim.AdamW(plain.parameters(), lr=RATE)

    def ours() -> None:
        float(learner.step((crops, masks, depth), loss_function, RATE))

    def theirs() -> None:
        with plain_defaults():
            optimizer.zero_grad()
            logits = cropped(network, plain(padded(network, crops.to(fabric.device))))
            truth = masks.to(fabric.device)
            loss = functional.binary_cross_entropy_with_logits(logits, truth)
            loss.backward()
            optimizer.step()
            float(loss.detach())

    beside = "PyTorch's defaults: float32, its own layout"
    name = f"training step, batch of {BATCH} crops, {torch.get_num_threads()} threads"
    found = compare(name, ours, {beside: theirs}, {beside: 2}, repeats=9)
    found.append(fact_row("number format of saltseg's step", fabric.strategy.precision.precision))
    if fabric.device.type != "cuda":
        found.append(fact_row("training on a GPU, against its limit", "no GPU here"))
    return found
