"""A sheet of test crops with what was predicted in them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.reports.figures import PREDICTION, TRUTH, contact_sheet, spread_evenly
from saltseg.scoring.submission import read_masks


def draw_predictions(
    path: Path,
    table: pd.DataFrame,
    images: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.bool_],
    truth: Path,
    examples: int,
) -> None:
    """Draw up to `examples` crops, evenly taken from `table`, over the truth where it is known.

    table: lines with `id` and `row`; images: uint8 (m, h, w) and masks: bool (m, h, w), by row.
    truth: a file of true masks in a submission's form, which need not exist.
    """
    places = spread_evenly(len(table), examples)
    ids, rows = table["id"].iloc[places].tolist(), table["row"].to_numpy()[places]
    outlines = [(np.asarray(masks[rows]), PREDICTION)]
    if truth.exists():
        outlines.insert(0, (read_masks(truth, ids), TRUTH))
    contact_sheet(path, images[rows], outlines, ids)
