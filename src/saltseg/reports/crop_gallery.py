"""The worst and the best out-of-fold crops, as pictures for a page to leaf through."""

import base64
import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from saltseg.crops.crop_set import NO_DEPTH
from saltseg.plumbing.layout import Layout
from saltseg.reports.error_kinds import KINDS, worst_of
from saltseg.reports.final_crops import load_final_crops
from saltseg.reports.page import Facts
from saltseg.reports.palette import FALSE, HIT, MISSED
from saltseg.reports.panels import Mask, compared

SHOWN = 12
"""Crops of each group."""

BEST = "best, of crops with salt"


def crop_gallery(layout: Layout) -> list[Facts]:
    """Return the groups of crops: the worst of each kind of error, then the best with salt.

    Raises InputError as load_final_crops does.
    """
    crops = load_final_crops(layout)
    table, rows = crops.table, crops.rows
    return [
        {
            "name": name,
            "crops": [
                _crop(
                    table.iloc[at], crops.images[rows[at]], crops.truths[rows[at]], crops.masks[at]
                )
                for at in chosen.tolist()
            ],
        }
        for name, chosen in _groups(table)
    ]


def _groups(table: pd.DataFrame) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    """Yield the name of each group and the lines of its crops."""
    kinds, scores = table["error"].to_numpy(str), table["score"].to_numpy(float)
    for kind in KINDS:
        yield kind, worst_of(kind, kinds, scores, table["wrong"].to_numpy(int), SHOWN)
    salty = np.flatnonzero(table["coverage_class"].to_numpy() > 0)
    order = np.lexsort((-table["iou"].to_numpy()[salty], -scores[salty]))
    yield BEST, salty[order[:SHOWN]]


def _crop(line: "pd.Series[float]", image: npt.NDArray[np.uint8], truth: Mask, mask: Mask) -> Facts:
    depth = int(line["depth"])
    return {
        "id": str(line["id"]),
        "fold": int(line["fold"]),
        "depth": None if depth == NO_DEPTH else depth,
        "coverage": round(float(truth.mean()), 4),
        "iou": round(float(line["iou"]), 4),
        "score": round(float(line["score"]), 1),
        "image": _png(Image.fromarray(np.ascontiguousarray(image))),
        "salt": _png(_overlay(truth, mask)),
    }


def _overlay(truth: Mask, mask: Mask) -> Image.Image:
    """Return hit, missed and false salt in the palette's translucent colours."""
    places = np.zeros(truth.shape, np.uint8)
    for number, (layer, _) in enumerate(compared(truth, mask), start=1):
        places[layer] = number
    paints = (HIT, MISSED, FALSE)
    picture = Image.fromarray(places).convert("P")
    picture.putpalette(bytes([0, 0, 0, *(value for paint in paints for value in paint.colour)]))
    picture.info["transparency"] = bytes([0, *(round(255 * paint.opacity) for paint in paints)])
    return picture


def _png(picture: Image.Image) -> str:
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()
