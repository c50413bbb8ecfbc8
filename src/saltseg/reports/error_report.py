"""Where the predictions fail: scores by kinds of crops, and the worst crops as pictures."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.plumbing.files import write_csv
from saltseg.reports.figures import PREDICTION, TRUTH, contact_sheet
from saltseg.selection.out_of_fold import OutOfFold
from saltseg.selection.postprocess import Cleaning, Masks

WORST = 64
"""Crops on the sheet of the worst."""

TINY = 100
"""A mask of up to this many pixels is tiny: one wrong pixel more costs it several thresholds."""


def write_error_report(
    folder: Path,
    crops: OutOfFold,
    images: npt.NDArray[np.uint8],
    masks: Masks,
    cleaning: Cleaning,
) -> None:
    """Write the scores by coverage class, 100 ft of depth and kind of mask, and the worst crops.

    images: uint8, all training crops by row. masks: bool (n, h, w), the final out-of-fold masks in
    the order of `crops`. A bin of depth is named by its shallow end.
    """
    kinds = {
        "by_coverage": ("coverage_class", crops.table["coverage_class"].tolist()),
        "by_depth": ("depth", (crops.table["depth"] // 100 * 100).tolist()),
        "by_mask": ("mask", mask_kinds(crops)),
    }
    for name, (column, values) in kinds.items():
        write_csv(folder / f"{name}.csv", mean_scores_by(column, values, cleaning))
    wrong_pixels = np.count_nonzero(masks != crops.truth, axis=(1, 2))
    worst = np.lexsort((-wrong_pixels, cleaning.after))[:WORST]
    contact_sheet(
        folder / "worst.png",
        images[crops.table["row"].to_numpy()[worst]],
        [(crops.truth[worst], TRUTH), (masks[worst], PREDICTION)],
        [f"{crops.table['id'].iloc[at]} {cleaning.after[at]:.1f}" for at in worst],
    )


def crop_scores(crops: OutOfFold, cleaning: Cleaning) -> pd.DataFrame:
    """Return id, fold and mosaic of each crop, and its nested precision `before` and `after`."""
    table = crops.table[["id", "fold", "mosaic"]].reset_index(drop=True)
    return table.assign(before=cleaning.before, after=cleaning.after)


def mask_kinds(crops: OutOfFold) -> list[str]:
    """Return each crop's kind: empty, tiny, vertical (labelled by whole columns) or common."""
    pixels = np.count_nonzero(crops.truth, axis=(1, 2))
    vertical = crops.table["vertical"].to_numpy(bool)
    kinds = [pixels == 0, pixels <= TINY, vertical]
    return np.select(kinds, ["empty", "tiny", "vertical"], "common").tolist()


def mean_scores_by(column: str, values: list[int] | list[str], cleaning: Cleaning) -> pd.DataFrame:
    """Return one line for each of the values: `column`, crops, and mean score before and after."""
    table = pd.DataFrame({column: values, "before": cleaning.before, "after": cleaning.after})
    means = table.groupby(column)[["before", "after"]].mean()
    means.insert(0, "crops", table[column].value_counts())
    return means.reset_index()
