"""Which crops are taken where there are more than are wanted."""

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP
from saltseg.crops.coverage import CLASSES, coverage_class
from saltseg.plumbing.seeds import stream_seed

Integers = npt.NDArray[np.int64]


def choose_labelled(
    names: list[str], salt_pixels: Integers, most: int, empty_share: float, seed: int
) -> Integers:
    """Return the places, rising, of the crops that are taken, balanced over the coverage classes.

    names: ids of the crops; salt_pixels: int64 (n,). Crops without salt make up `empty_share` at
    most, unless none has any. Of more than `most` crops each class gives equally many, as far as it
    has them. Which ones is drawn by id, so that other crops and their order play no part.
    """
    classes = coverage_class(salt_pixels, CROP * CROP)
    sizes = np.bincount(classes, minlength=CLASSES)
    if sizes[1:].any():
        sizes[0] = min(sizes[0], _most_empty(int(sizes[1:].sum()), most, empty_share))
    quotas = equal_shares(sizes, most)
    draws = _draws(names, seed, "own", "labelled")
    order = np.lexsort([draws, classes])
    starts = np.searchsorted(classes[order], np.arange(CLASSES))
    taken = [order[start : start + quota] for start, quota in zip(starts, quotas, strict=True)]
    return np.sort(np.concatenate(taken))


def choose_unlabelled(names: list[str], most: int, seed: int) -> Integers:
    """Return the places, rising, of up to `most` crops, drawn by id."""
    order = np.argsort(_draws(names, seed, "own", "unlabelled"), kind="stable")
    return np.sort(order[:most])


def equal_shares(sizes: Integers, most: int) -> Integers:
    """Divide `most` among classes of `sizes`: equally, and what a class lacks among the others.

    What cannot be divided goes to the last classes, those with the most salt.
    """
    shares = np.zeros_like(sizes)
    left = min(most, int(sizes.sum()))
    while left:
        wanting = np.flatnonzero(shares < sizes)
        each = left // len(wanting)
        if each == 0:
            shares[wanting[-left:]] += 1
            break
        given = np.minimum(sizes[wanting] - shares[wanting], each)
        shares[wanting] += given
        left -= int(given.sum())
    return shares


def _most_empty(with_salt: int, most: int, share: float) -> int:
    """Return how many crops without salt make up `share` beside those with salt."""
    if share == 1:
        return most
    return int(min(share * most, with_salt * share / (1 - share)))


def _draws(names: list[str], seed: int, *stream: str) -> npt.NDArray[np.uint64]:
    return np.array([stream_seed(seed, *stream, name) for name in names], np.uint64)
