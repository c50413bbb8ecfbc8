from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from saltseg.config.params import Params
from saltseg.config.sections import PseudoLabel
from saltseg.selection.pseudolabels import (
    confidence,
    load_pseudolabels,
    no_pseudolabels,
    save_pseudolabels,
    select,
    summary,
)


def settings(params: Params, **changes: float | bool) -> PseudoLabel:
    rule = {
        "min_confidence": 0.9,
        "small_mask": 500,
        "small_min_confidence": 0.99,
        "empty_share": 0.5,
    }
    return params.pseudolabel.model_copy(update=rule | changes)


def crop(salt: float, unsure: float) -> npt.NDArray[np.float32]:
    """A crop whose first share of pixels is salt and whose last share is undecided."""
    pixels = np.full(101 * 101, 0.01, np.float32)
    pixels[: round(salt * pixels.size)] = 0.99
    if unsure:
        pixels[-round(unsure * pixels.size) :] = 0.3
    return pixels.reshape(101, 101)


def table(count: int) -> pd.DataFrame:
    ids = [f"{number:010x}" for number in range(count)]
    return pd.DataFrame({"id": ids, "row": np.arange(count), "black": False})


def test_the_rule_is_the_stated_one(shrunk_params: Params) -> None:
    probabilities = np.stack(
        [crop(0.5, 0.05), crop(0.5, 0.15), crop(0.03, 0.05), crop(0.03, 0.005), crop(0.5, 0.0)]
    )
    crops = table(5)
    crops.loc[4, "black"] = True
    labels = select(crops, probabilities, settings(shrunk_params), seed=1)
    assert labels.table["reason"].tolist() == ["kept", "unsure", "unsure_small", "kept", "black"]
    assert (labels.masks == (probabilities[[0, 3]] > 0.5)).all()
    assert summary(labels)["kept_class_05"] == 1
    assert summary(labels)["kept_class_01"] == 1
    assert summary(labels)["kept"] == 2


def test_confidence_counts_strictly_beyond_the_limits() -> None:
    assert confidence(np.array([[[0.2, 0.8, 0.19, 0.81]]], np.float32)) == 0.5


def test_confident_empties_are_thinned_by_id_alone(shrunk_params: Params) -> None:
    probabilities = np.stack([crop(0.0, 0.0)] * 400)
    crops = table(400)
    kept = select(crops, probabilities, settings(shrunk_params), seed=1).kept["id"]
    assert 160 < len(kept) < 240
    shuffled = crops.sample(frac=1, random_state=3)
    part = select(shuffled.head(100), probabilities[:100], settings(shrunk_params), seed=1)
    assert set(part.kept["id"]) == set(kept) & set(shuffled.head(100)["id"])
    other = select(crops, probabilities, settings(shrunk_params), seed=2).kept["id"]
    assert set(other) != set(kept)
    none = select(crops, probabilities, settings(shrunk_params, empty_share=0.0), seed=1)
    assert len(none.kept) == 0


@pytest.mark.parametrize("count", [0, 6])
def test_sets_come_back_from_their_files(shrunk_params: Params, tmp_path: Path, count: int) -> None:
    if count:
        probabilities = np.stack([crop(0.5, 0.0)] * count)
        labels = select(table(count), probabilities, settings(shrunk_params), seed=1)
    else:
        labels = no_pseudolabels()
    save_pseudolabels(tmp_path, labels)
    read = load_pseudolabels(tmp_path)
    pd.testing.assert_frame_equal(read.table, labels.table)
    assert (read.masks == labels.masks).all()
    assert read.masks.shape == (count, 101, 101)


def test_soft_labels_are_the_probabilities_of_the_same_crops(
    shrunk_params: Params, tmp_path: Path
) -> None:
    draws = np.random.default_rng(5)
    probabilities = np.stack([crop(0.5, 0.05), crop(0.5, 0.15), crop(0.3, 0.02)])
    probabilities[0, 0] = np.linspace(0, 1, 101)
    probabilities[2, :2] = draws.random((2, 101))
    probabilities[2, 2, 0] = 0.5
    hard = select(table(3), probabilities, settings(shrunk_params), seed=1)
    soft = select(table(3), probabilities, settings(shrunk_params, soft=True), seed=1)
    pd.testing.assert_frame_equal(hard.table, soft.table)
    assert hard.soft is None and soft.soft is not None and soft.soft.dtype == np.uint8
    assert np.abs(soft.soft / 255 - probabilities[[0, 2]]).max() < 0.002
    save_pseudolabels(tmp_path, soft)
    read = load_pseudolabels(tmp_path)
    np.testing.assert_array_equal(read.soft, soft.soft)
    np.testing.assert_array_equal(read.masks, hard.masks)
