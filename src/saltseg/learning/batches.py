"""Batches of augmented crops: the same ones whatever the number of worker processes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset

from saltseg.learning.augmentation import augment, create_augmentation
from saltseg.learning.schedules import batch_count
from saltseg.learning.training_sets import LabelledCrops
from saltseg.plumbing.seeds import generator, stream_seed

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Images uint8 (b, h, w), masks float32 (b, h, w) of 0 to 1, depth float32 (b,)."""


class AugmentedBatches(Dataset[Batch]):
    """Batch `b` of epoch `e`, at the index (e, b), drawn from the seed and these two alone."""

    def __init__(
        self,
        crops: LabelledCrops,
        batch_size: int,
        preset: str,
        seed: int,
        others: LabelledCrops | None = None,
        drawn: int = 0,
    ) -> None:
        """Deal `crops` out anew each epoch, in batches of about `batch_size`.

        drawn: how many crops of each batch come from `others`, whose order is another one in each
            epoch. Where an epoch needs more than there are, it goes through them again.
        """
        self.crops = crops
        self.others = others
        self.drawn = drawn
        self.count = batch_count(len(crops), batch_size - drawn)
        self.transforms = create_augmentation(preset)
        self.seed = seed

    def __getitem__(self, index: tuple[int, int]) -> Batch:
        """Augment and return one batch."""
        epoch, batch = index
        order = generator(self.seed, "order", epoch).permutation(len(self.crops))
        parts = [_take(self.crops, np.array_split(order, self.count)[batch])]
        if self.others is not None and self.drawn:
            order = generator(self.seed, "drawn", epoch).permutation(len(self.others))
            places = range(batch * self.drawn, (batch + 1) * self.drawn)
            parts.append(_take(self.others, order.take(places, mode="wrap")))
        images, masks, depth = map(np.concatenate, zip(*parts, strict=True))
        seed = stream_seed(self.seed, "augment", epoch, batch)
        images, masks = augment(self.transforms, images, masks, seed)
        return torch.from_numpy(images), torch.from_numpy(masks) / 255, torch.from_numpy(depth)


def _take(crops: LabelledCrops, rows: npt.NDArray[np.intp]) -> tuple[npt.NDArray[Any], ...]:
    """Return images, targets (uint8, 255 is salt) and depth of some crops."""
    return crops.images[rows], crops.targets(rows), crops.depth[rows]


def load_batches(
    batches: AugmentedBatches, epochs: range, workers: int, done: int = 0, pinned: bool = False
) -> Iterator[Batch]:
    """Yield the batches of `epochs` in order, augmented in `workers` processes beside this one.

    done: how many batches, counted from the first, are left out. pinned: whether they come in
    memory that a GPU copies from by itself.
    """
    places = [(epoch, batch) for epoch in epochs for batch in range(batches.count)]
    loader: DataLoader[Batch] = DataLoader(
        batches,
        batch_size=None,
        sampler=places[done:],
        num_workers=workers,
        pin_memory=pinned,
        # The loader draws a seed of its own: not from the stream that the network's dropout uses.
        generator=torch.Generator(),
    )
    yield from loader
