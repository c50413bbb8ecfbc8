"""Nothing that is trained or chosen for a fold may know the labels of that fold."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from saltseg.config.model_definitions import CROP
from saltseg.config.params import Params, parse_params
from saltseg.config.schema import ALL
from saltseg.config.sections import CoverageStratify
from saltseg.crops.coverage import mask_kinds
from saltseg.crops.crop_set import CropSet, split_table
from saltseg.crops.folds import assign_folds, crops_beside_other_folds
from saltseg.crops.mosaics import describe_mosaics
from saltseg.inference.ensemble import Ensemble, average, find_snapshots
from saltseg.learning.member import train_member
from saltseg.learning.teacher import label_test
from saltseg.learning.training import Trained
from saltseg.learning.training_sets import LabelledCrops, Sources, sets_without
from saltseg.models.snapshots import save_snapshots
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.scoring.metric import precision_curve
from saltseg.selection.nested_choice import best_threshold, choose
from saltseg.selection.postprocess import Cleaning, search_sizes
from saltseg.selection.pseudolabels import PseudoLabels, no_pseudolabels
from saltseg.selection.thresholds import Thresholds
from tests.conftest import shrunk_content
from tests.helpers.phases import make_phase, write_schedule

FOLD = 0
PARTS = np.arange(60) % 3


@pytest.fixture(scope="module")
def described(small_crops: CropSet) -> tuple[pd.DataFrame, pd.DataFrame]:
    return describe_mosaics(small_crops, CoverageStratify(min_correlation=0.8, min_margin=0.6))


@pytest.fixture
def neighbours(described: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return described[1]


@pytest.fixture
def folds(described: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    """Two folds that keep mosaics whole, as the two stages make them."""
    train = split_table(described[0], "train")
    folds = assign_folds(train, 2, "coverage_grouped", seed=1)
    return folds.merge(train[["id", "coverage_class", "mosaic"]], on="id")


WATCHING: dict[str, dict[str, Any]] = {
    "plateau": {"schedule": write_schedule("plateau", epochs=2)},
    "best": {"schedule": write_schedule("cosine", epochs=2), "keep": {"best": 1}},
}


@pytest.fixture(params=["cosine", *WATCHING])
def params(request: pytest.FixtureRequest) -> Params:
    """The shrunk parameters; with an inner split; or with two rounds of teachers.

    Labels are soft and teachers' steps wide, so that a single mask that one learned shows in them.
    """
    content = shrunk_content()
    content["pseudolabel"]["soft"] = True
    content["pseudolabel"]["phases"][0]["schedule"] = write_schedule("cosine")
    if request.param in WATCHING:
        content["training"]["inner_folds"] = 3
        for phase in content["pseudolabel"]["phases"] + content["train_per_fold"]["phases"]:
            phase |= WATCHING[request.param]
    if request.param == "rounds":
        content["pseudolabel"]["rounds"] = 2
        content["pseudolabel"]["phases"][0]["data"] = {"mixed": {"share": 0.5}}
        content["train_per_fold"]["phases"][1]["data"] = {"mixed": {"share": 0.5}}
    return parse_params(content, "params.yaml")


def with_other_labels(crops: CropSet, folds: pd.DataFrame, fold: int) -> CropSet:
    """Return the crops with the masks of one fold turned into their opposite."""
    rows = crops.train.merge(folds, on="id").query(f"fold == {fold}")["row"].to_numpy()
    masks = crops.train_masks.copy()
    masks[rows] = ~masks[rows]
    return replace(crops, train_masks=masks)


def silent(values: Mapping[str, float], step: int) -> None:
    """Report to nobody."""


def learn(
    crops: CropSet, folds: pd.DataFrame, params: Params, root: Path, fold: int = FOLD
) -> tuple[PseudoLabels, Trained]:
    """Train teachers and member of a fold; each root has states of its own."""
    layout = Layout(root)
    table = crops.test.assign(black=False)
    sources = Sources(params, layout, crops, folds)
    labels = label_test(fold, sources, table, silent).labels
    assert len(labels.kept) == len(table)
    trained = train_member("class_unet", fold, sources, labels, silent)
    return labels, trained


@pytest.mark.parametrize("params", ["cosine", *WATCHING, "rounds"], indirect=True)
def test_teachers_and_member_do_not_change_with_the_labels_of_their_fold(
    small_crops: CropSet, folds: pd.DataFrame, params: Params, tmp_path: Path
) -> None:
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


def out_of_fold(crops: CropSet, folds: pd.DataFrame, params: Params, root: Path) -> Ensemble:
    """Train teachers and a member on every fold and average, as the stages do."""
    layout = Layout(root)
    for fold in params.train_per_fold.held_out:
        _, trained = learn(crops, folds, params, root, fold)
        save_snapshots(layout.model("class_unet", fold), trained.snapshots)
    return average(params, crops, folds, find_snapshots(layout, params))


@pytest.mark.parametrize("params", ["cosine", *WATCHING, "rounds"], indirect=True)
def test_a_crop_s_out_of_fold_prediction_knows_neither_the_crop_nor_its_neighbours(
    small_crops: CropSet,
    folds: pd.DataFrame,
    neighbours: pd.DataFrame,
    params: Params,
    tmp_path: Path,
) -> None:
    """Change a crop's mask, and masks and images of its mosaic: its prediction stays as it is."""
    known = out_of_fold(small_crops, folds, params, tmp_path / "known")
    mosaic = folds["mosaic"].value_counts().index[0]
    members = folds[folds["mosaic"] == mosaic]
    crop = members["id"].iloc[0]
    beside = neighbours.loc[neighbours["id"] == crop, "neighbour"]
    assert len(members) > 2 and members["id"].isin(beside).any()
    rows = small_crops.train.set_index("id")["row"]
    images, masks = small_crops.train_images.copy(), small_crops.train_masks.copy()
    masks[rows[members["id"]]] ^= True
    images[rows[members["id"].iloc[1:]]] ^= 255
    crops = replace(small_crops, train_images=images, train_masks=masks)
    changed = out_of_fold(crops, folds, params, tmp_path / "changed")
    same = (known.out_of_fold == changed.out_of_fold).all(axis=(1, 2))
    assert same[(known.table["id"] == crop).to_numpy()].all()
    assert not same[(known.table["fold"] != members["fold"].iloc[0]).to_numpy()].any()
    assert not crops_beside_other_folds(folds, neighbours)


def test_what_is_watched_is_neither_learned_from_nor_beside_it_nor_held_out(
    small_crops: CropSet, folds: pd.DataFrame, neighbours: pd.DataFrame, params: Params
) -> None:
    layout = Layout(Path("nowhere"))
    rows = np.arange(len(small_crops.train), dtype=np.uint8)[:, None, None]
    images = rows.repeat(CROP, axis=1).repeat(CROP, axis=2)  # an image is the number of its crop
    marked = replace(small_crops, train_images=images)
    ids = small_crops.train["id"].to_numpy()
    for fold in (0, 1):
        phases = params.train_per_fold.phases
        sources = Sources(params, layout, marked, folds)
        sets = sets_without(fold, phases, sources, no_pseudolabels()).named
        assert len(sets.pop("pseudolabels")) == 0
        found = {name: set(ids[part.images[:, 0, 0]]) for name, part in sets.items()}
        assert found["held_out"] == set(folds.loc[folds["fold"] == fold, "id"])
        assert sorted(crop for part in found.values() for crop in part) == sorted(ids)
        assert ("inner_validation" in found) == phases[0].uses_inner_validation
        assert all(found.values())
        parts = pd.DataFrame([(crop, name) for name in found for crop in found[name]])
        parts.columns = pd.Index(["id", "fold"])
        assert not crops_beside_other_folds(parts, neighbours)


def test_for_new_crops_a_network_learns_from_all_folds(
    small_crops: CropSet, folds: pd.DataFrame, params: Params
) -> None:
    phases, every = params.train_per_fold.phases, range(len(small_crops.train))
    rows = np.arange(len(every), dtype=np.uint8)[:, None, None]
    images = np.broadcast_to(rows, (len(every), CROP, CROP))  # an image is the number of its crop
    marked = replace(small_crops, train_images=images)
    sources = Sources(params, Layout(Path("nowhere")), marked, folds)
    sets = sets_without(ALL, phases, sources, no_pseudolabels())
    parts = [each for each in (sets.train, sets.inner_validation) if each is not None]
    assert not len(sets.held_out)
    assert sorted(int(image[0, 0]) for part in parts for image in part.images) == [*every]


def test_kinds_of_masks_are_left_out_of_what_is_learned_alone(
    small_crops: CropSet, folds: pd.DataFrame, params: Params
) -> None:
    masks = small_crops.train_masks.copy()
    masks[:4], masks[4:8] = False, False
    masks[:4, :3, :3], masks[4:8, :, :20] = True, True
    crops = replace(small_crops, train_masks=masks)

    def sets(*kinds: str) -> dict[str, LabelledCrops]:
        training = params.training.model_copy(update={"leave_out": [*kinds]})
        changed = params.model_copy(update={"training": training})
        sources = Sources(changed, Layout(Path("nowhere")), crops, folds)
        return sets_without(FOLD, params.train_per_fold.phases, sources, no_pseudolabels()).named

    def kinds(part: LabelledCrops) -> dict[str, int]:
        return dict(Counter(mask_kinds(part.masks).tolist()))

    whole, some, most = sets(), sets("tiny"), sets("tiny", "vertical")
    found = kinds(whole["train"])
    assert min(found["tiny"], found["vertical"]) > 0
    del found["tiny"]
    assert kinds(some["train"]) == found
    del found["vertical"]
    assert kinds(most["train"]) == found
    kept = ~np.isin(mask_kinds(whole["train"].masks), ["tiny", "vertical"])
    for one, two in zip(whole["train"].arrays, most["train"].arrays, strict=True):
        np.testing.assert_array_equal(one[kept], two)
    for name in whole.keys() - {"train"}:
        assert kinds(whole[name]) == kinds(most[name])
    crops.train_masks[:] = masks[0]
    with pytest.raises(InputError, match=r"leave_out: \['tiny'\] leaves no crop .* fold 0"):
        sets("tiny")


def test_more_inner_folds_than_mosaics_are_refused(
    small_crops: CropSet, folds: pd.DataFrame, params: Params
) -> None:
    phases = [make_phase("plateau")]
    training = params.training.model_copy(update={"inner_folds": 20})
    too_many = params.model_copy(update={"training": training})
    with pytest.raises(InputError, match=r"training\.inner_folds: 20 folds are more than the"):
        sources = Sources(too_many, Layout(Path("nowhere")), small_crops, folds)
        sets_without(0, phases, sources, no_pseudolabels())


def choices(probabilities: np.ndarray, truth: np.ndarray) -> tuple[Thresholds, Cleaning]:
    """Choose thresholds and sizes as the two stages do."""
    grid = np.array([0.2, 0.4, 0.6, 0.8])
    best = partial(best_threshold, grid=grid)
    choice = choose(precision_curve(probabilities, truth, grid), PARTS, best)
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
    assert known[1].chosen.helps
    for fold in range(3):
        own = np.flatnonzero(np.equal(PARTS, fold))
        other = truth.copy()
        other[own] = ~truth[own]
        changed = choices(probabilities, other)
        assert known[0].by_part[fold] == changed[0].by_part[fold]
        assert known[1].chosen.by_part[fold] == changed[1].chosen.by_part[fold]
        assert known[0].by_part != changed[0].by_part
