"""Training labels of full columns, copied to the crops found below them in their mosaic.

Salt that fills columns of one crop goes on below it: in all 4 of the 4 pairs of the competition's
training crops of which the upper is labelled by full columns, the lower has the same mask. The
label of another crop is known at prediction, so it may be used out-of-fold too; a crop's own never
is.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.crop_set import load_array, load_table, split_table
from saltseg.plumbing.layout import Layout

Masks = npt.NDArray[np.bool_]

Copies = Mapping[int, Masks]
"""Masks, bool (h, w), to put in the places of an array of masks."""


def copies_of(layout: Layout, ids: Sequence[str]) -> dict[int, Masks]:
    """Return the labels to copy to the crops of `ids`, by the places in it.

    Raises InputError if an output of ingest or coverage-stratify is missing.
    """
    folder = layout.data("coverage-stratify")
    train = split_table(load_table(folder / "crops.parquet"), "train").set_index("id")
    labels = load_array(layout.data("ingest") / "train_masks.npy")
    sources = labels_above(ids, load_table(folder / "neighbours.parquet"), train["vertical"])
    return {
        place: np.array(labels[train["row"][sources[crop]]])
        for place, crop in enumerate(ids)
        if crop in sources
    }


def copies_to_test(layout: Layout) -> dict[int, Masks]:
    """Return the labels to copy to test crops, by row; see copies_of."""
    table = split_table(load_table(layout.data("coverage-stratify") / "crops.parquet"), "test")
    return copies_of(layout, table.sort_values("row")["id"].tolist())


def labels_above(
    ids: Sequence[str], neighbours: pd.DataFrame, vertical: "pd.Series[bool]"
) -> dict[str, str]:
    """Return the crop whose label is copied to each of `ids`, where there is one.

    It is the nearest labelled crop above, across unlabelled ones, if its label is vertical.

    neighbours: lines `id`, `neighbour` and `side`, where the neighbour lies; vertical: of each
    labelled crop, by id.
    """
    below = neighbours[neighbours["side"] == "below"]
    above = dict(zip(below["neighbour"], below["id"], strict=True))
    labelled = {str(crop): bool(is_so) for crop, is_so in vertical.items()}
    found = {crop: _nearest(crop, above, labelled) for crop in ids}
    return {crop: upper for crop, upper in found.items() if upper and labelled[upper]}


def _nearest(crop: str, above: Mapping[str, str], labelled: Mapping[str, bool]) -> str | None:
    """Return the nearest labelled crop above; None if there is none, or matches make a circle."""
    passed, at = {crop}, above.get(crop)
    while at is not None and at not in labelled and at not in passed:
        passed.add(at)
        at = above.get(at)
    return None if at in passed else at


def with_copies(masks: Masks, copies: Copies, start: int = 0) -> Masks:
    """Return a copy of `masks` in which each of `copies` replaces the mask in its place.

    masks: bool (n, h, w). start: the place of the first of them; copies for others are ignored.
    """
    changed = masks.copy()
    for place, mask in copies.items():
        if start <= place < start + len(masks):
            changed[place - start] = mask
    return changed
