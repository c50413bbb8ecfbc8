"""Compare the vectorised ground with the usual loops, on 4,000 random smooth crops.

python benchmarks/ground.py
"""

import sys
from collections.abc import Callable
from itertools import product
from statistics import median
from time import perf_counter

import cv2
import numpy as np

from saltseg.components import clean, precision_by_sizes
from saltseg.metric import precision, precision_curve, salt_masks
from saltseg.rle import decode, encode

CROPS = 4000
LOOPED = 200
"""Crops that the slowest ways are timed on; their times are scaled up."""
THRESHOLDS = np.round(np.linspace(0.005, 0.995, 100), 6)
STEPS = [0, 5, 10, 20, 40, 80, 160]
SIZES = list(product(STEPS, STEPS))


def smooth_crops(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return float16 probabilities, like a network's, and bool truths, 40 % of them empty."""
    field = smooth_fields(generator, 5)
    field[generator.random(CROPS) < 0.4] -= 4
    noise = 0.3 * smooth_fields(generator, 5) + 0.15 * smooth_fields(generator, 25)
    return (1 / (1 + np.exp(-4 * (field - 0.5 + noise)))).astype(np.float16), field > 0.5


def smooth_fields(generator: np.random.Generator, size: int) -> np.ndarray:
    """Return float32 (crops, 101, 101): random numbers on `size` x `size` points, interpolated."""
    fields = np.empty((CROPS, 101, 101), np.float32)
    for field in fields:
        points = generator.normal(size=(size, size)).astype(np.float32)
        field[:] = cv2.resize(points, (101, 101), interpolation=cv2.INTER_CUBIC)
    return fields


def precision_loop(predicted: np.ndarray, truth: np.ndarray) -> list[float]:
    """Score as public kernels do: crop by crop, ten comparisons each."""
    scores = []
    for mask, true_mask in zip(predicted, truth, strict=True):
        if not true_mask.any():
            scores.append(float(not mask.any()))
            continue
        overlap = (mask & true_mask).sum() / (mask | true_mask).sum()
        scores.append(float(np.mean([overlap > level for level in np.arange(0.5, 1, 0.05)])))
    return scores


def encode_loop(masks: np.ndarray) -> list[str]:
    """Encode as public kernels do: from the differences of each padded mask."""
    codes = []
    for mask in masks:
        pixels = np.concatenate([[0], mask.T.ravel(), [0]])
        runs = np.where(pixels[1:] != pixels[:-1])[0] + 1
        runs[1::2] -= runs[::2]
        codes.append(" ".join(str(number) for number in runs))
    return codes


def decode_loop(codes: list[str]) -> np.ndarray:
    """Decode as public kernels do: a slice for each run."""
    masks = np.zeros((len(codes), 101 * 101), bool)
    for mask, code in zip(masks, codes, strict=True):
        numbers = [int(word) for word in code.split()]
        for start, length in zip(numbers[::2], numbers[1::2], strict=True):
            mask[start - 1 : start - 1 + length] = True
    return masks.reshape(-1, 101, 101).swapaxes(1, 2)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of `work`."""
    times = []
    for _ in range(repeats):
        started = perf_counter()
        work()
        times.append(perf_counter() - started)
    return median(times)


def compare(
    name: str, fast: Callable[[], object], slow: Callable[[], object], scale: float = 1
) -> None:
    """Print both times and their ratio; `slow` does 1 / `scale` of the work of `fast`."""
    fast_time, slow_time = seconds(fast, 7), seconds(slow, 3) * scale
    sys.stdout.write(
        f"{name:28}{fast_time:9.3f} s{slow_time:11.3f} s{slow_time / fast_time:8.1f}x\n"
    )


def main() -> None:
    """Print a line for each piece of the ground."""
    probabilities, truth = smooth_crops(np.random.default_rng(0))
    masks = salt_masks(probabilities, 0.5)
    codes = encode(masks)
    few = slice(None, LOOPED)
    share = CROPS / LOOPED
    sys.stdout.write(f"{'on 4,000 crops':28}{'saltseg':>11}{'usual':>13}{'ratio':>9}\n")
    compare("metric", lambda: precision(masks, truth), lambda: precision_loop(masks, truth))
    compare(
        "curve, 100 thresholds",
        lambda: precision_curve(probabilities, truth, THRESHOLDS),
        lambda: [
            precision(salt_masks(probabilities[few], at), truth[few]) for at in THRESHOLDS.tolist()
        ],
        share,
    )
    compare("RLE encode", lambda: encode(masks), lambda: encode_loop(masks))
    compare("RLE decode", lambda: decode(codes), lambda: decode_loop(codes))
    compare(
        "component sizes, 49 pairs",
        lambda: precision_by_sizes(masks, truth, SIZES),
        lambda: [precision(clean(masks[few], *pair), truth[few]) for pair in SIZES],
        share,
    )


if __name__ == "__main__":
    main()
