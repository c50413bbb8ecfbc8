"""The figure of what a fold's teacher kept and rejected."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.reports.figures import PREDICTION, contact_sheet, spread_evenly
from saltseg.selection.pseudolabels import PseudoLabels

COLUMNS = 8
ROWS = 2


def draw_examples(path: Path, labels: PseudoLabels, images: npt.NDArray[np.uint8]) -> None:
    """Write two rows of kept crops with their masks, and below them two of rejected ones.

    images: the test crops, uint8 (n, h, w). Both are spread evenly over the order of confidence.
    """
    kept = _spread(labels.kept)
    rejected = _spread(labels.table[labels.table["reason"] != "kept"])
    chosen = pd.concat([kept, rejected])
    masks = np.zeros((len(chosen), *images.shape[1:]), bool)
    masks[: len(kept)] = labels.masks[kept.index]
    titles = [
        f"{name} {reason} {sure:.3f}"
        for name, reason, sure in zip(
            chosen["id"], chosen["reason"], chosen["confidence"], strict=True
        )
    ]
    rows = chosen["row"].to_numpy(np.int64)
    contact_sheet(path, images[rows], [(masks, PREDICTION)], titles, columns=COLUMNS)


def _spread(lines: pd.DataFrame) -> pd.DataFrame:
    """Take sixteen lines evenly from the least to the most confident."""
    ordered = lines.sort_values(["confidence", "id"])
    return ordered.iloc[spread_evenly(len(lines), ROWS * COLUMNS)]
