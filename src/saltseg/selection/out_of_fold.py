"""Out-of-fold probabilities joined with the table and masks of their crops."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops.crop_set import load_array, load_table, split_table
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.layout import Layout
from saltseg.scoring.submission import write_masks
from saltseg.selection.nested_choice import selection_parts


@dataclass(frozen=True)
class OutOfFold:
    """The training crops of the trained folds, all fields in the same order.

    probabilities: float16, shape (n, 101, 101), memory-mapped; from models that never saw the crop.
    truth: bool, the same shape.
    table: id, fold, row, and the columns of coverage-stratify.
    parts: int64, shape (n,); see nested_choice.selection_parts.
    locked: trained folds that are locked, rising: where there are any, scores are quoted on their
        crops alone. Thresholds and sizes are chosen on all.
    """

    probabilities: npt.NDArray[np.float16]
    truth: npt.NDArray[np.bool_]
    table: pd.DataFrame
    parts: npt.NDArray[np.int64]
    locked: Sequence[int] = ()

    @property
    def quoted(self) -> npt.NDArray[np.bool_]:
        """Which crops scores are quoted on: bool, shape (n,)."""
        if not self.locked:
            return np.ones(len(self.table), bool)
        return self.table["fold"].isin(self.locked).to_numpy(bool)

    @property
    def quoted_mosaics(self) -> list[str]:
        """The mosaic of each quoted crop: the groups of a bootstrap."""
        return self.table.loc[self.quoted, "mosaic"].tolist()

    @property
    def quoted_on(self) -> dict[str, str]:
        """The locked folds that scores are quoted on, as results tell it; {} without any."""
        return {"locked_folds": ", ".join(map(str, self.locked))} if self.locked else {}


def load_out_of_fold(layout: Layout, locked: Sequence[int] = ()) -> OutOfFold:
    """Join the outputs of snapshot-ensemble, ingest and coverage-stratify by id.

    locked: fold_split.locked, the folds that scores are quoted on where they were trained.
    Raises InputError if a file is missing or the files are from different runs.
    """
    folder = layout.data("snapshot-ensemble")
    probabilities = load_array(folder / "out_of_fold.npy")
    table = load_table(folder / "out_of_fold.parquet")
    if len(table) != len(probabilities):
        raise InputError(
            f"{folder / 'out_of_fold.parquet'}: {len(table):,} lines for {len(probabilities):,} "
            "crops in out_of_fold.npy; run dvc repro"
        )
    crops_file = layout.data("coverage-stratify") / "crops.parquet"
    crops = split_table(load_table(crops_file), "train")
    joined = table.merge(crops, on=["id", "row"], how="left", validate="one_to_one")
    unknown = joined.loc[joined["split"].isna(), "id"].tolist()
    if unknown:
        raise InputError(
            f"{crops_file}: {len(unknown):,} out-of-fold crops are not in their row: "
            f"{first_few(unknown)}; run dvc repro"
        )
    truth = load_array(layout.data("ingest") / "train_masks.npy")[joined["row"].to_numpy()]
    parts = selection_parts(joined["fold"].tolist(), joined["mosaic"].astype(str).tolist())
    trained = sorted({*locked} & {*joined["fold"].tolist()})
    return OutOfFold(probabilities, truth, joined, parts, trained)


def write_out_of_fold(layout: Layout, path: Path) -> None:
    """Write the final out-of-fold masks of the training crops in the form of a submission.

    Each is of models that never saw the crop, with the threshold and the component sizes that were
    chosen on other crops: their mean score is the quoted one, unless locked folds were trained.
    """
    folder = layout.data("postprocess-connected-components")
    table = load_table(folder / "out_of_fold_scores.parquet")
    masks = load_array(folder / "out_of_fold_masks.npy")
    write_masks(path, table["id"].tolist(), np.asarray(masks))
