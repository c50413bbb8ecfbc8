"""Trainings that are interrupted, and what they leave."""

import numpy as np
import numpy.typing as npt
import torch

from saltseg.learning.training import Trained


def same(one: Trained, two: Trained) -> bool:
    return one.history == two.history and all(
        torch.equal(a[name], b[name])
        for a, b in zip(one.snapshots, two.snapshots, strict=True)
        for name in a
    )


class InterruptedTrainingError(Exception):
    """Raised in the middle of a training."""


class FailingImages(np.ndarray):
    """Images of which only `left` batches can be taken."""

    left: int

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:  # type: ignore[override]
        if self.left == 0:
            raise InterruptedTrainingError
        self.left -= 1
        taken: npt.NDArray[np.uint8] = np.asarray(self)[rows]
        return taken
