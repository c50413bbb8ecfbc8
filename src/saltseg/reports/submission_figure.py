"""A contact sheet of test crops with their predictions."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.reports.contact_sheet import Group, Tile, contact_sheet
from saltseg.reports.figures import spread_over_coverage
from saltseg.reports.palette import FALSE, HIT, MISSED, PREDICTION
from saltseg.reports.panels import Mask, compared
from saltseg.scoring.metric import precision
from saltseg.scoring.pixel_measures import iou
from saltseg.scoring.submission import read_masks


def draw_predictions(
    path: Path,
    table: pd.DataFrame,
    images: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.bool_],
    truth: Path,
    examples: int,
) -> None:
    """Draw up to `examples` test crops, from the least to the most predicted salt.

    If the truth is known, hit, missed and false salt have different colours.
    table: lines with `id` and `row`; images: uint8 (m, h, w) and masks: bool (m, h, w), by row.
    truth: a file of true masks in submission format, used if it exists.
    """
    rows = spread_over_coverage(masks, examples)
    ids = table.set_index("row")["id"].reindex(rows).tolist()
    if truth.exists():
        tiles = _compared_tiles(ids, images[rows], masks[rows], read_masks(truth, ids))
        legend = [HIT, MISSED, FALSE]
    else:
        tiles = [
            Tile(images[row], [(masks[row], PREDICTION)], _title(name, masks[row]))
            for name, row in zip(ids, rows, strict=True)
        ]
        legend = [PREDICTION]
    heading = "Predictions on test crops, from the least to the most predicted salt"
    contact_sheet(path, [Group(heading, tiles)], legend)


def _compared_tiles(
    ids: list[str], images: npt.NDArray[np.uint8], masks: Mask, truth: Mask
) -> list[Tile]:
    scores, overlap = precision(masks, truth), iou(masks, truth)
    return [
        Tile(image, compared(true, mask), f"{name}   IoU {over:.2f}   score {score:.1f}")
        for name, image, mask, true, over, score in zip(
            ids, images, masks, truth, overlap, scores, strict=True
        )
    ]


def _title(name: str, mask: Mask) -> str:
    return f"{name}   {mask.mean():.0%} salt"
