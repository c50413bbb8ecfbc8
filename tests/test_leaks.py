"""Nothing that is trained or chosen for a fold may know the labels of that fold."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from saltseg.crops import CropSet
from saltseg.layout import Layout
from saltseg.member import train_member
from saltseg.metric import precision_curve
from saltseg.params import Params, parse_params
from saltseg.postprocess import Cleaning, Thresholds, search_sizes
from saltseg.pseudolabels import PseudoLabels
from saltseg.teacher import label_test
from saltseg.thresholds import choose, middle_of_plateau
from saltseg.training import Trained
from tests.conftest import shrunk_content

FOLD = 0
PARTS = np.arange(60) % 3


@pytest.fixture
def folds(small_crops: CropSet) -> pd.DataFrame:
    ids = small_crops.train["id"]
    return pd.DataFrame({"id": ids, "fold": np.arange(len(ids)) % 2})


def with_other_labels(crops: CropSet, folds: pd.DataFrame, fold: int) -> CropSet:
    """Return the crops with the masks of one fold turned into their opposite."""
    rows = crops.train.merge(folds, on="id").query(f"fold == {fold}")["row"].to_numpy()
    masks = crops.train_masks.copy()
    masks[rows] = ~masks[rows]
    return replace(crops, train_masks=masks)


def silent(values: Mapping[str, float], step: int) -> None:
    """Report to nobody."""


def learn(
    crops: CropSet, folds: pd.DataFrame, params: Params, root: Path
) -> tuple[PseudoLabels, Trained]:
    """Train teachers and member of FOLD; each call has states of its own."""
    layout = Layout(root)
    table = crops.test.assign(black=False)
    labels = label_test(crops, folds, FOLD, table, params, layout, silent)
    trained = train_member("class_unet", FOLD, crops, folds, labels, params, layout, silent)
    return labels, trained


def in_rounds() -> Params:
    """Let two rounds of teachers, and the member, learn from soft labels and crops at once."""
    content = shrunk_content()
    content["pseudolabel"] |= {"rounds": 2, "soft": True}
    content["pseudolabel"]["phases"][0]["data"] = "mixed"
    content["train_per_fold"]["phases"][1]["data"] = "mixed"
    return parse_params(content, "params.yaml")


@pytest.mark.parametrize("rounds", [1, 2])
def test_teachers_and_member_do_not_change_with_the_labels_of_their_fold(
    small_crops: CropSet, folds: pd.DataFrame, shrunk_params: Params, tmp_path: Path, rounds: int
) -> None:
    params = shrunk_params if rounds == 1 else in_rounds()
    known = learn(small_crops, folds, params, tmp_path / "known")
    other = with_other_labels(small_crops, folds, FOLD)
    changed = learn(other, folds, params, tmp_path / "changed")
    np.testing.assert_array_equal(known[0].masks, changed[0].masks)
    np.testing.assert_array_equal(known[0].soft, changed[0].soft)
    pd.testing.assert_frame_equal(known[0].table, changed[0].table)
    pairs = zip(known[1].snapshots, changed[1].snapshots, strict=True)
    assert all(torch.equal(one[name], two[name]) for one, two in pairs for name in one)
    # The labels did reach what may know them: the score of the held-out fold.
    assert known[1].history != changed[1].history


def test_a_member_does_change_with_the_labels_that_it_learns_from(
    small_crops: CropSet, folds: pd.DataFrame, shrunk_params: Params, tmp_path: Path
) -> None:
    known = learn(small_crops, folds, shrunk_params, tmp_path / "known")
    other = with_other_labels(small_crops, folds, 1 - FOLD)
    changed = learn(other, folds, shrunk_params, tmp_path / "changed")
    pairs = zip(known[1].snapshots, changed[1].snapshots, strict=True)
    assert not all(torch.equal(one[name], two[name]) for one, two in pairs for name in one)


def choices(probabilities: np.ndarray, truth: np.ndarray) -> tuple[Thresholds, Cleaning]:
    """Choose thresholds and sizes as the two stages do."""
    grid = np.array([0.2, 0.4, 0.6, 0.8])
    choice = choose(precision_curve(probabilities, truth, grid), PARTS, middle_of_plateau)
    by_part = {part: float(grid[at]) for part, at in choice.by_part.items()}
    limits = Thresholds(float(grid[choice.setting]), by_part)
    pairs = [(0, 0), (3, 0), (0, 3), (9, 9)]
    return limits, search_sizes(probabilities, truth, PARTS, limits, pairs)


def test_a_fold_s_threshold_and_sizes_do_not_change_with_its_own_labels() -> None:
    draws = np.random.default_rng(3)
    truth = np.zeros((60, 20, 20), bool)
    truth[::2, 10:] = True
    noise = draws.random(truth.shape) < 0.02
    probabilities = (0.3 + 0.4 * (truth ^ noise) + 0.2 * draws.random(truth.shape)).astype(
        np.float16
    )
    known = choices(probabilities, truth)
    assert known[1].helps
    for fold in range(3):
        own = np.flatnonzero(np.equal(PARTS, fold))
        other = truth.copy()
        other[own] = ~truth[own]
        changed = choices(probabilities, other)
        assert known[0].by_part[fold] == changed[0].by_part[fold]
        assert known[1].by_part[fold] == changed[1].by_part[fold]
        assert known[0].by_part != changed[0].by_part
