"""Crops that were cut side by side from one section, found from the pixels of their borders."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import DisjointSet

from saltseg.config.sections import CoverageStratify
from saltseg.crops.coverage import describe_crops
from saltseg.crops.crop_set import CropSet

BLOCK = 128
"""Borders compared with all others at a time; 22,000 crops then take 11 MB, a cache's size."""

UNIT = 4090
"""Length to which borders are scaled before they are rounded to whole numbers.

By Cauchy-Schwarz every sum of their products then stays below 2**24, where float32 is exact: the
order of summation, and with it the BLAS, the block and the number of threads, changes nothing. The
rounding moves a correlation by some 1e-4.
"""

Borders = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Best:
    """For each of some borders its best partner, the correlation with it and with the next."""

    partner: npt.NDArray[np.int64]
    correlation: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]


def describe_mosaics(
    crops: CropSet, matching: CoverageStratify
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of coverage.describe_crops with `mosaic` (str), and the neighbours.

    The neighbours are those of crop_neighbours, within the limits of `matching`.
    """
    neighbours = crop_neighbours(crops, matching.min_correlation, matching.min_margin)
    table = describe_crops(crops)
    table["mosaic"] = name_mosaics(table["id"], neighbours)
    return table, neighbours


def crop_neighbours(crops: CropSet, min_correlation: float, min_margin: float) -> pd.DataFrame:
    """Find the neighbours among all crops of a set, train and test together.

    Returns `id`, `neighbour` (its id), `side` and `correlation` as find_neighbours does, sorted by
    side and id.
    """
    ids = pd.concat([crops.test["id"], crops.train["id"]]).to_numpy()
    images = np.concatenate([crops.test_images, crops.train_images])
    found = find_neighbours(images, min_correlation, min_margin)
    named = found.assign(id=ids[found["crop"]], neighbour=ids[found["neighbour"]])
    columns = ["id", "neighbour", "side", "correlation"]
    return named[columns].sort_values(["side", "id"], ignore_index=True)


def find_neighbours(
    images: npt.NDArray[np.uint8], min_correlation: float, min_margin: float
) -> pd.DataFrame:
    """Find pairs of crops whose borders continue each other.

    Two borders match when each is the other's best partner, they correlate by at least
    `min_correlation`, and 1 - correlation is at least the share `min_margin` smaller than with
    either's second best partner. Smooth borders correlate highly by chance, but then with many:
    that is the ratio test of Lowe (2004), "Distinctive image features", section 7.1.

    images: uint8, shape (crops, height, width); each may have a scale of its own.
    Returns `crop` and `neighbour` (int64, places in `images`), `side` ("below" or "right": where
    the neighbour lies) and `correlation` (float64, off by some 1e-4), sorted by side and crop.
    """
    found = []
    for side, lines in {"below": images, "right": images.swapaxes(1, 2)}.items():
        ends = _borders(lines[:, -1], lines[:, -2])
        starts = _borders(lines[:, 0], lines[:, 1])
        found.append(_matches(ends, starts, min_correlation, min_margin).assign(side=side))
    return pd.concat(found, ignore_index=True)[["crop", "neighbour", "side", "correlation"]]


def name_mosaics(ids: pd.Series, neighbours: pd.DataFrame) -> pd.Series:
    """Name each crop's mosaic, all that neighbours connect, after the smallest id in it.

    neighbours: `id` and `neighbour`. Returns the names (str) in the order of `ids`.
    """
    connected = DisjointSet(ids)
    for crop, neighbour in zip(neighbours["id"], neighbours["neighbour"], strict=True):
        connected.merge(crop, neighbour)
    names = {crop: min(mosaic) for mosaic in connected.subsets() for crop in mosaic}
    return ids.map(names)


def count_mosaics(mosaic: pd.Series, neighbours: pd.DataFrame) -> dict[str, int]:
    """Count the pairs of each side and the mosaics of two or more of the crops in `mosaic`."""
    sizes = mosaic.value_counts()
    return {
        "neighbours_right": int((neighbours["side"] == "right").sum()),
        "neighbours_below": int((neighbours["side"] == "below").sum()),
        "crops_with_neighbour": int(sizes[sizes > 1].sum()),
        "mosaics": int((sizes > 1).sum()),
        "largest_mosaic": int(sizes.max()),
    }


def _borders(last: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> Borders:
    """Extrapolate border lines by half a pixel, to where they meet the neighbour's.

    Returns whole numbers, each line with zero mean and length UNIT but for the rounding, shape
    (crops, pixels of the line). A line without change becomes zeros, which match nothing.
    """
    # 1.5 * last - 0.5 * second, less the mean, times 2 * pixels to stay in whole numbers.
    line = 3 * last.astype(np.int64) - second
    line = line.shape[1] * line - line.sum(axis=1, keepdims=True)
    length = np.sqrt((line**2).sum(axis=1, keepdims=True))
    return np.rint(UNIT * line / np.maximum(length, 1)).astype(np.float32)


def _matches(
    ends: Borders, starts: Borders, min_correlation: float, min_margin: float
) -> pd.DataFrame:
    """Match the ends of crops with the starts of others, as find_neighbours says."""
    forward = _best_partners(ends, starts, np.arange(len(ends)))
    crops = np.flatnonzero(_clear(forward, min_correlation, min_margin))
    partners, correlations = forward.partner[crops], forward.correlation[crops]
    # Only the partners that are left are asked for theirs: few are, and asking costs most.
    backward = _best_partners(starts, ends, partners)
    found = (backward.partner == crops) & _clear(backward, min_correlation, min_margin)
    columns = {"crop": crops, "neighbour": partners, "correlation": correlations}
    return pd.DataFrame(columns)[found].reset_index(drop=True)


def _clear(best: _Best, min_correlation: float, min_margin: float) -> npt.NDArray[np.bool_]:
    """Tell of each border whether its best partner is good enough, and enough better."""
    first, second = best.correlation, best.second
    near = 1 - first <= (1 - min_margin) * (1 - second)
    # Of two equally good partners, neither: so that no order of rows decides.
    return (first >= min_correlation) & near & (first > np.maximum(second, 0))


def _best_partners(borders: Borders, others: Borders, crops: npt.NDArray[np.int64]) -> _Best:
    """Correlate the borders of some crops with those of all others; keep each one's best two."""
    count = len(crops)
    partner = np.zeros(count, dtype=np.int64)
    first, second = np.zeros(count), np.zeros(count)
    for start in range(0, count, BLOCK):
        block = slice(start, start + BLOCK)
        products = borders[crops[block]] @ others.T
        rows = np.arange(len(products))
        products[rows, crops[block]] = -(UNIT**2)  # a crop is no neighbour of itself
        partner[block] = products.argmax(axis=1)
        first[block] = products[rows, partner[block]]
        products[rows, partner[block]] = -(UNIT**2)
        second[block] = products.max(axis=1)
    return _Best(partner, first / UNIT**2, second / UNIT**2)
