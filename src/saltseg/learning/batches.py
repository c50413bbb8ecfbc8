"""Batches of augmented crops: the same ones whatever the number of worker processes."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset

from saltseg.config.phases import Mixed, Phase
from saltseg.config.sections import Training
from saltseg.learning.augmentation import augment, create_augmentation
from saltseg.learning.schedules import Epoch, batch_count, drawn_count
from saltseg.learning.training_sets import LabelledCrops, TrainingSets, pool
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


def phase_batches(
    phase: Phase, sets: TrainingSets, training: Training, seed: int
) -> AugmentedBatches:
    """Return the batches of a phase, of the sets that its `data` names."""
    size, preset = training.batch_size, training.augmentation
    if isinstance(phase.data, Mixed):
        drawn = drawn_count(phase, sets.sizes, size)
        return AugmentedBatches(sets.train, size, preset, seed, sets.pseudolabels, drawn)
    if phase.data == "pooled" and sets.pseudolabels is not None:
        return AugmentedBatches(pool(sets.train, sets.pseudolabels), size, preset, seed)
    name = "train" if phase.data == "pooled" else phase.data
    return AugmentedBatches(sets.named[name], size, preset, seed)


class EpochLoader:
    """Loads the batches of a plan's epochs, one after the other.

    Worker processes live as long as a phase and work ahead over the ends of its epochs.
    """

    def __init__(
        self,
        epochs: Sequence[Epoch],
        batches_of: Callable[[int], AugmentedBatches],
        workers: int,
        pinned: bool,
    ) -> None:
        """Load `epochs`.

        batches_of: returns the batches of a phase by its index; for the rest see load_batches.
        """
        self._epochs = epochs
        self._batches_of = batches_of
        self._workers = workers
        self._pinned = pinned
        self._phase: int | None = None
        self._batches: AugmentedBatches
        self._loaded: Iterator[Batch]

    def load(self, epoch: Epoch, done: int) -> Iterator[Batch]:
        """Return the batches of an epoch but the first `done`.

        Epochs are asked for in their order; within a phase, none is left out before the last.
        """
        if epoch.phase != self._phase:
            last = max(each.number for each in self._epochs if each.phase == epoch.phase)
            span = range(epoch.number, last + 1)
            self._phase = epoch.phase
            self._batches = self._batches_of(epoch.phase)
            self._loaded = load_batches(self._batches, span, self._workers, done, self._pinned)
        return islice(self._loaded, self._batches.count - done)

    def load_again(self, epoch: Epoch) -> Iterator[Batch]:
        """Return all batches of the epoch that was asked for last, once more."""
        span = range(epoch.number, epoch.number + 1)
        yield from load_batches(self._batches, span, self._workers)
