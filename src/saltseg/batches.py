"""Batches of augmented crops: the same ones whatever the number of worker processes."""

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from saltseg.augment import augment, create_augmentation
from saltseg.labelled import LabelledCrops
from saltseg.schedules import batch_count
from saltseg.seeds import generator, stream_seed

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Images uint8 (b, h, w), masks uint8 (b, h, w), depth float32 (b,)."""


class AugmentedBatches(Dataset[Batch]):
    """Batch `b` of epoch `e`, at the index (e, b), drawn from the seed and these two alone."""

    def __init__(self, crops: LabelledCrops, batch_size: int, preset: str, seed: int) -> None:
        """Deal `crops` out anew each epoch, in batches of about `batch_size`."""
        self.crops = crops
        self.count = batch_count(len(crops), batch_size)
        self.transforms = create_augmentation(preset)
        self.seed = seed

    def __getitem__(self, index: tuple[int, int]) -> Batch:
        """Augment and return one batch."""
        epoch, batch = index
        order = generator(self.seed, "order", epoch).permutation(len(self.crops))
        chosen = np.array_split(order, self.count)[batch]
        images, masks = augment(
            self.transforms,
            self.crops.images[chosen],
            self.crops.masks[chosen],
            stream_seed(self.seed, "augment", epoch, batch),
        )
        depth = torch.from_numpy(self.crops.depth[chosen])
        return torch.from_numpy(images), torch.from_numpy(masks), depth


def load_batches(
    batches: AugmentedBatches, epochs: range, workers: int, done: int = 0
) -> Iterator[Batch]:
    """Yield the batches of `epochs` in order, augmented in `workers` processes beside this one.

    done: how many batches, counted from the first, are left out.
    """
    places = [(epoch, batch) for epoch in epochs for batch in range(batches.count)]
    loader: DataLoader[Batch] = DataLoader(
        batches,
        batch_size=None,
        sampler=places[done:],
        num_workers=workers,
        # The loader draws a seed of its own: not from the stream that the network's dropout uses.
        generator=torch.Generator(),
    )
    yield from loader
