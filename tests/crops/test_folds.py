"""Folds: what they depend on, how balanced they are, and what leaks between them."""

import warnings

import numpy as np
import pandas as pd
import pytest

from saltseg.crops.crop_set import NO_DEPTH
from saltseg.crops.folds import (
    assign_folds,
    class_balance,
    crops_beside_other_folds,
    largest_class_deviation,
    summary,
)
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.seeds import generator

STRATEGIES = ["coverage", "depth", "coverage_grouped"]

CLASS_COUNTS = [390, 144, 74, 56, 46, 56, 51, 43, 37, 40, 63]
"""A thousand crops with the real data's shares of the coverage classes."""


def make_crops(class_counts: list[int], grouped: float = 0.25) -> pd.DataFrame:
    """Crops of which the share `grouped` lies in mosaics of two or three."""
    rng = generator(1, "test crops")
    count = sum(class_counts)
    ids = [f"{number:05x}" for number in rng.permutation(10 * count)[:count]]
    first = np.arange(count)
    in_mosaics = int(grouped * count)
    first[:in_mosaics] -= np.arange(in_mosaics) % rng.choice([2, 3])
    classes = rng.permutation(np.repeat(np.arange(len(class_counts)), class_counts))
    return pd.DataFrame(
        {
            "id": ids,
            "depth": rng.integers(50, 960, count),
            "coverage": classes / 10,
            "coverage_class": classes,
            "mosaic": [ids[place] for place in first],
        }
    )


@pytest.fixture(scope="module")
def crops() -> pd.DataFrame:
    return make_crops(CLASS_COUNTS)


def chained(crops: pd.DataFrame) -> pd.DataFrame:
    """Call each crop the neighbour of the crop that names its mosaic."""
    pairs = crops[crops["id"] != crops["mosaic"]]
    return pd.DataFrame({"id": pairs["mosaic"], "neighbour": pairs["id"]})


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_row_order_and_other_columns_play_no_part(crops: pd.DataFrame, strategy: str) -> None:
    folds = assign_folds(crops, 5, strategy, seed=7)
    shuffled = crops.sample(frac=1, random_state=3).assign(another=1)
    pd.testing.assert_frame_equal(assign_folds(shuffled, 5, strategy, seed=7), folds)
    assert folds["id"].tolist() == sorted(crops["id"])
    assert folds["fold"].dtype == np.int64


@pytest.mark.parametrize("strategy", ["coverage", "coverage_grouped"])
def test_seed_changes_the_folds(crops: pd.DataFrame, strategy: str) -> None:
    first = assign_folds(crops, 5, strategy, seed=7)
    assert not first.equals(assign_folds(crops, 5, strategy, seed=8))


def test_depth_deals_from_shallow_to_deep_and_ties_by_id() -> None:
    crops = make_crops([6]).assign(id=list("fedcba"), depth=[9, 5, 5, 7, 5, 8])
    folds = assign_folds(crops, 3, "depth", seed=7).set_index("id")["fold"]
    assert folds[["b", "d", "e", "c", "a", "f"]].tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(("strategy", "tolerance"), [("coverage", 1), ("coverage_grouped", 2)])
@pytest.mark.parametrize("n_folds", [2, 5, 10])
def test_classes_are_shared_out_evenly(
    crops: pd.DataFrame, strategy: str, tolerance: int, n_folds: int
) -> None:
    folds = assign_folds(crops, n_folds, strategy, seed=7)
    table = crops.merge(folds, on="id")
    counts = pd.crosstab(table["fold"], table["coverage_class"])
    assert (counts.max() - counts.min()).max() <= tolerance


def test_grouped_folds_keep_every_mosaic_whole(crops: pd.DataFrame) -> None:
    neighbours = chained(crops)
    grouped = assign_folds(crops, 5, "coverage_grouped", seed=7)
    assert crops_beside_other_folds(grouped, neighbours) == set()
    ungrouped = assign_folds(crops, 5, "coverage", seed=7)
    assert len(crops_beside_other_folds(ungrouped, neighbours)) > 50


def test_neighbours_in_test_leak_nothing_between_folds() -> None:
    folds = pd.DataFrame({"id": ["a", "b", "c", "d"], "fold": [0, 0, 1, 1]})
    neighbours = pd.DataFrame(
        {"id": ["a", "b", "c", "test", "test"], "neighbour": ["b", "c", "test", "d", "other"]}
    )
    assert crops_beside_other_folds(folds, neighbours) == {"b", "c"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_classes_rarer_than_folds_neither_warn_nor_fail(strategy: str) -> None:
    for class_counts in ([1] * 8, [20, 1, 1]):
        crops = make_crops(class_counts, grouped=0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            folds = assign_folds(crops, 4, strategy, seed=7)
        sizes = folds["fold"].value_counts()
        assert sorted(sizes.index) == [0, 1, 2, 3]
        assert sizes.max() - sizes.min() <= 2


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_fewer_crops_than_folds_are_refused(strategy: str) -> None:
    with pytest.raises(InputError, match=r"^params\.yaml: fold_split\.n_folds: 5 folds are more"):
        assign_folds(make_crops([4], grouped=0), 5, strategy, seed=7)


def test_fewer_mosaics_than_folds_are_refused() -> None:
    crops = make_crops([4]).assign(mosaic="one")
    with pytest.raises(InputError, match="the 1 training mosaics; use fewer folds"):
        assign_folds(crops, 2, "coverage_grouped", seed=7)


def test_mosaics_that_leave_a_fold_empty_are_refused() -> None:
    crops = make_crops([13, 13], grouped=0).sort_values("coverage_class")
    # Together c and d have as much of either class as a fold wants, and so they share one.
    crops["mosaic"] = [*"aaaaaaabbbbbc", *"aaaaaaabbbbbd"]
    with pytest.raises(InputError) as caught:
        assign_folds(crops, 4, "coverage_grouped", seed=7, field="training.inner_folds")
    assert str(caught.value) == (
        "params.yaml: training.inner_folds: 4 folds leave fold 2 without a crop: the 4 mosaics of "
        "26 training crops do not fill it; use fewer folds or more crops"
    )


def test_balance_counts_classes_that_a_fold_lacks() -> None:
    table = pd.DataFrame({"fold": [0, 0, 1], "coverage_class": [0, 3, 0]})
    assert class_balance(table).to_numpy().tolist() == [[0, 0, 1], [0, 3, 1], [1, 0, 1], [1, 3, 0]]
    assert largest_class_deviation(table) == pytest.approx(1 / 3)


def test_summary_describes_every_fold() -> None:
    table = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "fold": [0, 0, 1, 1],
            "coverage_class": [0, 3, 0, 3],
            "coverage": [0.0, 0.3, 0.0, 0.25],
            "depth": [100, 300, 500, 600],
        }
    )
    described = summary(table, pd.DataFrame({"id": ["a"], "neighbour": ["d"]}))
    assert described["largest_class_deviation"] == 0
    assert described["crops_beside_other_folds"] == 2
    assert described["share_beside_other_folds"] == 0.5
    assert described["fold_1"] == {"crops": 2, "mean_coverage": 0.125, "mean_depth": 550}


def test_unknown_depths_cannot_be_dealt_and_are_in_no_mean(crops: pd.DataFrame) -> None:
    unknown = crops.assign(depth=crops["depth"].where(crops.index > 2, NO_DEPTH))
    with pytest.raises(InputError, match=r"strategy: depth needs the depth of each crop, which 3"):
        assign_folds(unknown, 2, "depth", 1)
    folds = assign_folds(unknown, 2, "coverage", 1)
    found = summary(unknown.merge(folds, on="id"), pd.DataFrame(columns=["id", "neighbour"]))
    known = unknown[unknown["depth"] != NO_DEPTH].merge(folds, on="id").groupby("fold")["depth"]
    means = [found[f"fold_{number}"]["mean_depth"] for number in (0, 1)]
    assert means == pytest.approx(known.mean().tolist())
