from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.crops import CropSet
from saltseg.layout import Layout
from saltseg.params import Params
from saltseg.teacher import predict_test


def silent(values: Mapping[str, float], step: int) -> None:
    """Report to nobody."""


def test_a_teacher_knows_nothing_of_its_fold(
    small_crops: CropSet, shrunk_params: Params, tmp_path: Path
) -> None:
    """Other masks in a fold change what the other teachers say, and not what its own does."""
    table = small_crops.train
    folds = pd.DataFrame({"id": table["id"], "fold": np.arange(len(table)) % 2})
    masks = small_crops.train_masks.copy()
    masks[::2] ^= True
    changed = replace(small_crops, train_masks=masks)

    def predict(crops: CropSet, fold: int) -> npt.NDArray[np.float32]:
        return predict_test(crops, folds, fold, shrunk_params, Layout(tmp_path), silent)

    assert (predict(small_crops, 0) == predict(changed, 0)).all()
    assert (predict(small_crops, 1) != predict(changed, 1)).any()
