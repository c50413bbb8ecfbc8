"""Random crops that look like the competition's: smooth outlines, two in five without salt."""

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 101


def probabilities_and_truths(
    count: int,
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.bool_]]:
    """Return probabilities like a network's, float16 (n, 101, 101), and the truths, bool."""
    generator = np.random.default_rng(0)
    field = _smooth(generator, count, 5)
    field[generator.random(count) < 0.4] -= 4
    noise = 0.3 * _smooth(generator, count, 5) + 0.15 * _smooth(generator, count, 25)
    return (1 / (1 + np.exp(-4 * (field - 0.5 + noise)))).astype(np.float16), field > 0.5


def images(count: int) -> npt.NDArray[np.uint8]:
    """Return grey crops, uint8 (n, 101, 101)."""
    generator = np.random.default_rng(0)
    fields = 90 * _smooth(generator, count, 25) + 20 * _smooth(generator, count, 60) + 128
    return fields.clip(0, 255).astype(np.uint8)


def _smooth(generator: np.random.Generator, count: int, points: int) -> npt.NDArray[np.float32]:
    """Return random numbers on `points` x `points`, interpolated: float32 (n, 101, 101)."""
    fields = np.empty((count, SIDE, SIDE), np.float32)
    for field in fields:
        coarse = generator.normal(size=(points, points)).astype(np.float32)
        field[:] = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return fields
