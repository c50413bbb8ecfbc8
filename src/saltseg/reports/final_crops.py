"""The out-of-fold crops of a finished run, with their final masks and measures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.crop_set import load_array, load_table, split_table
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.reports.panels import Mask

_STAGE = "postprocess-connected-components"


@dataclass(frozen=True)
class FinalCrops:
    """Crops by line of `table`, the error report's by_crop.csv; `error` is "" where all is right.

    images, truths: all training crops, uint8 and bool (crops, h, w), memory-mapped. rows: the
    place of each line in them, int64 (n,). masks: final, bool (n, h, w), memory-mapped.
    """

    table: pd.DataFrame
    rows: npt.NDArray[np.int64]
    images: npt.NDArray[np.uint8]
    truths: Mask
    masks: Mask


def load_final_crops(layout: Layout) -> FinalCrops:
    """Read data/ingest, the final out-of-fold masks, and the table of their errors.

    Raises InputError where a file is missing or they are from different runs.
    """
    path = layout.plots(_STAGE) / "by_crop.csv"
    table = _read(path)
    ingested = layout.data("ingest")
    places = split_table(load_table(ingested / "crops.parquet"), "train").set_index("id")["row"]
    masks = load_array(layout.data(_STAGE) / "out_of_fold_masks.npy")
    if len(table) != len(masks) or not table["id"].isin(places.index).all():
        raise InputError(f"{path}: is of another run than data/; run dvc repro, or dvc checkout")
    return FinalCrops(
        table,
        places.reindex(table["id"]).to_numpy(np.int64),
        load_array(ingested / "train_images.npy"),
        load_array(ingested / "train_masks.npy"),
        masks,
    )


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"id": str})
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); run dvc repro, or dvc checkout"
        ) from error
    return table.assign(error=table["error"].fillna(""))
