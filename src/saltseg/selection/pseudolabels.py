"""Selecting pseudo-labels from the predicted test crops, and storing them.

The rule is the 1st place's: confidence is the share of pixels with p < 0.2 or p > 0.8.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.model_definitions import CROP
from saltseg.config.sections import PseudoLabel
from saltseg.crops.coverage import CLASSES, coverage_class
from saltseg.crops.crop_set import load_array, load_table
from saltseg.plumbing.files import write_array, write_table
from saltseg.plumbing.seeds import stream_seed

LOW, HIGH = 0.2, 0.8
HALF = 127
"""Largest uint8 probability that counts as background."""
REASONS = ["kept", "black", "unsure", "unsure_small", "empty_left_out"]


@dataclass(frozen=True)
class PseudoLabels:
    """The pseudo-labels of one fold's teacher.

    table: a line for each test crop considered: `id`, `row` (in the test array), `confidence`
        float64, `coverage_class` int64, `reason` (one of REASONS; "kept" for the kept crops).
    masks: bool (kept, h, w), in the order of the kept lines.
    soft: uint8 (kept, h, w), 255 times the teacher's probabilities; None for hard labels.
    """

    table: pd.DataFrame
    masks: npt.NDArray[np.bool_]
    soft: npt.NDArray[np.uint8] | None = None

    @property
    def kept(self) -> pd.DataFrame:
        """The lines of the kept crops, in the order of the masks."""
        return self.table[self.table["reason"] == "kept"].reset_index(drop=True)


def confidence(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the share of pixels with p < 0.2 or p > 0.8 of each crop, float64 (n,)."""
    confident = (probabilities < LOW) | (probabilities > HIGH)
    return confident.mean(axis=(1, 2))


def needs_teachers(settings: PseudoLabel, test: int) -> bool:
    """Return whether a fold needs teachers: `test` crops to label, or members to start from them.

    If pseudo-labels are enabled but there is no test crop, it says so.
    """
    if settings.enabled and not test:
        print("pseudolabel: there are no test crops to label")
    return settings.enabled and (test > 0 or settings.warm_start)


def select(
    crops: pd.DataFrame,
    probabilities: npt.NDArray[np.float32],
    settings: PseudoLabel,
    seed: int,
) -> PseudoLabels:
    """Select the crops to keep.

    crops: lines with `id`, `row` and `black`; probabilities: float32 (n, h, w) in the same order.
    Empty crops are sampled by a hash of the id, independent of their order and of other crops.
    """
    masks = probabilities > 0.5
    pixels = masks.sum(axis=(1, 2), dtype=np.int64)
    sure = confidence(probabilities)
    small = (pixels > 0) & (pixels <= settings.small_mask)
    draw = np.array([stream_seed(seed, "empty", name) / 2**64 for name in crops["id"]])
    reasons = np.select(
        [
            crops["black"].to_numpy(bool),
            sure < settings.min_confidence,
            small & (sure < settings.small_min_confidence),
            (pixels == 0) & (draw >= settings.empty_share),
        ],
        ["black", "unsure", "unsure_small", "empty_left_out"],
        "kept",
    )
    table = pd.DataFrame(
        {
            "id": crops["id"].to_numpy(),
            "row": crops["row"].to_numpy(),
            "confidence": sure,
            "coverage_class": coverage_class(pixels, masks.shape[1] * masks.shape[2]),
            "reason": reasons,
        }
    )
    kept = reasons == "kept"
    return PseudoLabels(table, masks[kept], _soft(probabilities[kept]) if settings.soft else None)


def _soft(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Round 255 times the probabilities, halves down, so that p > 0.5 exceeds HALF."""
    return np.ceil(255 * probabilities - 0.5).astype(np.uint8)


def no_pseudolabels() -> PseudoLabels:
    """Return an empty set, the output of the stage when it is disabled."""
    columns = {"id": "str", "row": "int64", "confidence": "float64", "coverage_class": "int64"}
    table = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    masks = np.zeros((0, CROP, CROP), bool)
    return PseudoLabels(table.assign(reason=pd.Series(dtype="str")), masks)


def save_pseudolabels(folder: Path, labels: PseudoLabels) -> None:
    """Write crops.parquet and masks.npy, which holds probabilities for soft labels."""
    write_table(folder / "crops.parquet", labels.table)
    write_array(folder / "masks.npy", labels.masks if labels.soft is None else labels.soft)


def load_pseudolabels(folder: Path) -> PseudoLabels:
    """Read the files of save_pseudolabels. Raises InputError if one is missing."""
    table, masks = load_table(folder / "crops.parquet"), load_array(folder / "masks.npy")
    if masks.dtype == np.bool_:
        return PseudoLabels(table, masks)
    return PseudoLabels(table, masks > HALF, masks)


def summary(labels: PseudoLabels) -> dict[str, int]:
    """Count the crops by reason, and the kept ones by coverage class."""
    reasons = labels.table["reason"].value_counts()
    classes = labels.kept["coverage_class"].value_counts()
    counts = {name: int(reasons.get(name, 0)) for name in REASONS}
    return counts | {f"kept_class_{k:02d}": int(classes.get(k, 0)) for k in range(CLASSES)}
