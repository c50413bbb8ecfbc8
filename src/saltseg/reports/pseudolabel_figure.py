"""The test crops that a fold's teacher kept and rejected, as a figure."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.reports.contact_sheet import COLUMNS, Group, Tile, contact_sheet
from saltseg.reports.figures import spread_evenly
from saltseg.reports.palette import FALSE, HIT, MISSED, PREDICTION
from saltseg.reports.panels import Layer, Mask, compared
from saltseg.scoring.submission import read_masks
from saltseg.selection.pseudolabels import PseudoLabels

_ROWS = 2


def draw_pseudolabels(
    path: Path, labels: PseudoLabels, images: npt.NDArray[np.uint8], truth: Path
) -> None:
    """Write two rows of kept crops with their labels, and two of rejected crops without labels.

    images: the test crops, uint8 (n, h, w). Both are evenly spaced in the order of confidence.
    truth: a file of true masks in submission format, drawn if it exists; never used in training.
    """
    kept, rejected = labels.kept, labels.table[labels.table["reason"] != "kept"]
    known = truth.exists()
    groups = [
        Group(
            f"Kept as pseudo-labels: {len(kept):,} crops, from the least to the most confident",
            list(_kept_tiles(_spread(kept), labels.masks, images, truth if known else None)),
        ),
        Group(
            f"Rejected: {len(rejected):,} crops",
            list(_rejected_tiles(_spread(rejected), images)),
        ),
    ]
    contact_sheet(path, groups, [HIT, MISSED, FALSE] if known else [PREDICTION])


def _kept_tiles(
    lines: pd.DataFrame, masks: Mask, images: npt.NDArray[np.uint8], truth: Path | None
) -> Iterator[Tile]:
    """Yield tiles of kept crops; `lines` are indexed by position in `masks`."""
    true = None if truth is None else read_masks(truth, lines["id"].tolist())
    rows, labels = lines["row"].to_numpy(np.int64), masks[lines.index.to_numpy(np.int64)]
    for at, (name, sure) in enumerate(zip(lines["id"], lines["confidence"], strict=True)):
        title = f"{name}   confidence {sure:.3f}"
        layers: list[Layer] = [(labels[at], PREDICTION)]
        if true is not None:
            layers = compared(true[at], labels[at])
        yield Tile(images[rows[at]], layers, title)


def _rejected_tiles(lines: pd.DataFrame, images: npt.NDArray[np.uint8]) -> Iterator[Tile]:
    columns = (lines[name] for name in ("id", "reason", "confidence"))
    titles = [
        f"{name}   {reason}   {sure:.3f}" for name, reason, sure in zip(*columns, strict=True)
    ]
    for row, title in zip(lines["row"].to_numpy(np.int64), titles, strict=True):
        yield Tile(images[row], [], title)


def _spread(lines: pd.DataFrame) -> pd.DataFrame:
    """Take eight lines, evenly spaced from the least to the most confident."""
    ordered = lines.sort_values(["confidence", "id"])
    return ordered.iloc[spread_evenly(len(lines), _ROWS * COLUMNS)]
