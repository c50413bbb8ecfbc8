"""All out-of-fold crops of a run on a page to leaf through, sorted and filtered as one likes.

The page needs neither a network nor a server: masks and measures stand in it, and pictures in
sheets beside it, which it reads as they are shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.coverage import mask_kinds
from saltseg.crops.crop_set import NO_DEPTH, load_array, load_table, split_table
from saltseg.plumbing.files import write_text
from saltseg.plumbing.layout import Layout
from saltseg.reports.crop_sheets import (
    ACROSS,
    probability_colours,
    write_image_sheets,
    write_probability_sheets,
)
from saltseg.reports.error_kinds import KINDS
from saltseg.reports.final_crops import FinalCrops, load_final_crops
from saltseg.reports.page import Facts, css, fill_template, paint_facts
from saltseg.reports.palette import FALSE, HIT, MISSED, PREDICTION, TRUTH
from saltseg.reports.panels import Mask
from saltseg.scoring.rle import encode

TEMPLATE = Path(__file__).with_suffix(".html")
PAGE, SHEETS = "index.html", "sheets"
"""What write_crop_pages writes: a file and a folder."""

_MEASURES = ("score", "score_before", "iou", "dice", "boundary_distance", "wrong")
_OPPOSITE = {"right": "left", "below": "above"}


def write_crop_pages(layout: Layout, folder: Path) -> int:
    """Write PAGE and SHEETS into `folder`, for the run whose outputs are in the checkout.

    Equal runs make equal files. Returns the number of out-of-fold crops. Raises InputError where
    an output of a stage is missing, or they are from different runs.
    """
    crops = load_final_crops(layout)
    others = _load_others(layout, crops.table["id"])
    probabilities = load_array(layout.data("snapshot-ensemble") / "out_of_fold.npy")
    images = chain((crops.images[row] for row in crops.rows), others.images())
    write_image_sheets(folder / SHEETS, images)
    write_probability_sheets(folder / SHEETS, iter(probabilities))
    data = {
        "across": ACROSS,
        "size": crops.masks.shape[1],
        "crops": _columns(layout, crops),
        "others": others.columns(),
        "links": _links(layout, [*crops.table["id"], *others.table["id"]]),
        "kinds": KINDS,
        "compared": [paint_facts(paint) for paint in (HIT, MISSED, FALSE)],
        "alone": [paint_facts(paint) for paint in (TRUTH, PREDICTION)],
        "probability": [css(colour) for colour in probability_colours()],
    }
    write_text(folder / PAGE, fill_template(TEMPLATE, "Crops of a run", data))
    return len(crops.table)


@dataclass(frozen=True)
class _Others:
    """Neighbours of out-of-fold crops that have no out-of-fold prediction: test crops, and training
    crops of folds that were not trained.

    table: `id`, `split`, `row`. pictures: of each split, uint8 (crops, h, w). masks: bool, the
    same shapes: the truth of training crops, the final prediction of test crops.
    """

    table: pd.DataFrame
    pictures: dict[str, npt.NDArray[np.uint8]]
    masks: dict[str, Mask]

    def images(self) -> Iterator[npt.NDArray[np.uint8]]:
        """Yield the image of each line."""
        for split, row in zip(self.table["split"], self.table["row"], strict=True):
            yield self.pictures[split][row]

    def columns(self) -> Facts:
        """Return what the page knows of them, by columns."""
        codes = [
            encode(self.masks[split][[row]])[0]
            for split, row in zip(self.table["split"], self.table["row"], strict=True)
        ]
        return {
            "id": self.table["id"].tolist(),
            "split": self.table["split"].tolist(),
            "salt": codes,
        }


def _load_others(layout: Layout, ids: "pd.Series[str]") -> _Others:
    found = load_table(layout.data("coverage-stratify") / "neighbours.parquet")
    beside = {*found.loc[found["id"].isin(ids), "neighbour"]}
    beside |= {*found.loc[found["neighbour"].isin(ids), "id"]}
    ingested = layout.data("ingest")
    table = load_table(ingested / "crops.parquet")
    table = table[table["id"].isin(beside - {*ids})].sort_values(["split", "id"])
    predicted = load_array(layout.data("postprocess-connected-components") / "test_masks.npy")
    if not len(predicted):  # snapshot_ensemble.predict_test is false
        table = table[table["split"] == "train"]
    return _Others(
        table[["id", "split", "row"]],
        {split: load_array(ingested / f"{split}_images.npy") for split in ("train", "test")},
        {
            "train": load_array(ingested / "train_masks.npy"),
            "test": predicted,
        },
    )


def _links(layout: Layout, ids: list[str]) -> list[dict[str, int]]:
    """Return for each pictured crop the places of its neighbours in `ids`, by side."""
    places = {name: at for at, name in enumerate(ids)}
    links: list[dict[str, int]] = [{} for _ in ids]
    found = load_table(layout.data("coverage-stratify") / "neighbours.parquet")
    for crop, neighbour, side in found[["id", "neighbour", "side"]].itertuples(index=False):
        if crop in places and neighbour in places:
            links[places[crop]][side] = places[neighbour]
            links[places[neighbour]][_OPPOSITE[side]] = places[crop]
    return links


def _columns(layout: Layout, crops: FinalCrops) -> Facts:
    """Return ids, measures and masks of all out-of-fold crops, by columns."""
    table = crops.table
    known = load_table(layout.data("coverage-stratify") / "crops.parquet")
    mosaics = split_table(known, "train").set_index("id")["mosaic"].reindex(table["id"])
    truths = crops.truths[crops.rows]
    return {
        "id": table["id"].tolist(),
        "fold": table["fold"].tolist(),
        "depth": _known(table["depth"].where(table["depth"] != NO_DEPTH)),
        "class": table["coverage_class"].tolist(),
        "error": table["error"].tolist(),
        "mask": mask_kinds(truths).tolist(),
        "mosaic": mosaics.astype(str).tolist(),
        "coverage": truths.mean(axis=(1, 2)).round(4).tolist(),
        **{name: _known(table[name].round(4)) for name in _MEASURES},
        "truth": encode(truths),
        "predicted": encode(crops.masks),
    }


def _known(values: "pd.Series[float]") -> list[float | None]:
    """Return a column for JSON: None where a number is missing."""
    return values.astype(object).where(values.notna(), None).tolist()
