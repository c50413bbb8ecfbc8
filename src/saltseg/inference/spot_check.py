"""A check before submission: a few test crops are predicted again and compared."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.params import load_params
from saltseg.crops.crop_set import load_array
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.modules import PACKAGE
from saltseg.plumbing.seeds import stream_seed
from saltseg.scoring.components import clean
from saltseg.selection.sizes import ChosenSizes
from saltseg.selection.thresholds import Thresholds
from saltseg.selection.vertical_labels import copies_to_test, with_copies

CROPS = 8
"""Number of crops to predict again; one is drawn from each eighth of the array."""

TOLERANCE = 0.02
"""Largest mean difference of a crop's probabilities.

The two predictions round differently, and the fast one may compute in bfloat16.
"""


def check_predictions(
    layout: Layout, table: pd.DataFrame, masks: npt.NDArray[np.bool_], seed: int
) -> str:
    """Check probabilities and masks of a few test crops, and return the finding as one line.

    The probabilities of snapshot-ensemble are compared with those of a fresh process that runs
    saltseg.inference.plain_prediction; the masks with those that threshold and sizes yield.

    table: the test crops' lines with `id` and `row`; masks: bool (m, h, w), the final ones, by row;
    seed: of the pipeline. Raises InputError naming the crop that differs most.
    """
    if table.empty:
        return "there are no test crops: the submission is empty, and nothing is predicted again"
    if not len(masks):
        raise InputError(
            "snapshot_ensemble.predict_test: false: test crops are not predicted, so there is no"
            " submission; set it to true and run again, which trains nothing again"
        )
    chosen = choose_crops(table, seed)
    rows = chosen["row"].tolist()
    path = layout.data("snapshot-ensemble") / "test.npy"
    known = np.asarray(load_array(path)[rows])
    apart = np.abs(known - predict_again(layout, rows)).mean(axis=(1, 2))
    _check_probabilities(path, chosen["id"].tolist(), apart)
    check_masks(layout, chosen, known, masks[rows])
    return (
        f"{len(rows)} test crops predicted again in a fresh process differ by"
        f" at most {apart.max():.4f} on average"
    )


def choose_crops(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return up to CROPS lines of `table`, spread over its rows and drawn by seed and id."""
    lines = table.sort_values("row").reset_index(drop=True)
    draws = np.array([stream_seed(seed, "spot check", name) for name in lines["id"]], np.uint64)
    parts = np.array_split(np.arange(len(lines)), CROPS)
    return lines.iloc[[part[draws[part].argmin()] for part in parts if len(part)]]


def predict_again(layout: Layout, rows: Sequence[int]) -> npt.NDArray[np.float32]:
    """Predict the test crops in `rows` in a fresh process: float32 (rows, h, w).

    Raises InputError if it fails.
    """
    command = [sys.executable, "-P", "-m", "saltseg.inference.plain_prediction"]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "probabilities.npy"
        done = subprocess.run(
            [*command, str(layout.root), str(file), *map(str, rows)],
            env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise InputError(_failure(done))
        probabilities: npt.NDArray[np.float32] = np.load(file)
    return probabilities


def _failure(done: "subprocess.CompletedProcess[str]") -> str:
    said = done.stderr.strip().splitlines()
    reason = said[-1].removeprefix("saltseg: ") if said else f"exit code {done.returncode}"
    return f"test crops could not be predicted again to check the submission: {reason}"


def _check_probabilities(path: Path, ids: Sequence[str], apart: npt.NDArray[np.float32]) -> None:
    worst = int(np.nan_to_num(apart, nan=np.inf).argmax())
    if not apart[worst] <= TOLERANCE:
        raise InputError(
            f"{path}: crop {ids[worst]}: its probabilities differ by {apart[worst]:.4f} on average"
            f" (at most {TOLERANCE} is rounding) from what a fresh process predicts with the same"
            " models; run 'dvc repro --force --single-item snapshot-ensemble', then 'dvc repro',"
            " and report it if it persists"
        )


def _copies(layout: Layout, rows: Sequence[int]) -> dict[int, npt.NDArray[np.bool_]]:
    """Return the labels that were copied to the test crops in `rows`, by their places there."""
    if not load_params(layout.params).postprocess_connected_components.copy_vertical:
        return {}
    copies = copies_to_test(layout)
    return {place: copies[row] for place, row in enumerate(rows) if row in copies}


def check_masks(
    layout: Layout,
    chosen: pd.DataFrame,
    probabilities: npt.NDArray[np.float16],
    masks: npt.NDArray[np.bool_],
) -> None:
    """Check that `masks` are what threshold, sizes and copies make of some test crops.

    chosen: their lines with `id` and `row`; probabilities, masks: (n, h, w), in their order. Raises
    InputError naming the crop that differs most.
    """
    threshold = Thresholds.load(layout.data("threshold-search")).overall
    folder = layout.data("postprocess-connected-components")
    sizes = ChosenSizes.load(folder).overall
    salt = probabilities.astype(np.float64) > threshold
    ids = chosen["id"].tolist()
    wrong = with_copies(clean(salt, *sizes), _copies(layout, chosen["row"].tolist())) ^ masks
    pixels = wrong.sum(axis=(1, 2))
    worst = int(pixels.argmax())
    if pixels[worst]:
        raise InputError(
            f"{folder / 'test_masks.npy'}: crop {ids[worst]}: {pixels[worst]:,} pixels differ from"
            " what threshold and sizes make of its probabilities; run 'dvc repro --force"
            " --single-item postprocess-connected-components', then 'dvc repro', and report it if"
            " it persists"
        )
