"""Epochs that give a variant its base's cost, against the costs that `saltseg recipe` tells."""

import pytest

from saltseg.ablation.matching import deal, epochs_at_cost
from saltseg.config.crop_counts import CropCounts, expected_crops
from saltseg.config.params import Params
from saltseg.config.recipes import read_recipe
from saltseg.learning.costs import epoch_costs, recipe_costs
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from tests.conftest import PROJECT

CROPS = CropCounts(train=60, pseudolabels=24)

LONG = [
    "pseudolabel.phases.0.schedule.cosine.epochs=20",
    "train_per_fold.phases.1.schedule.cosine.epochs=30",
    "train_per_fold.phases.2.schedule.cosine.epochs=20",
    "train_per_fold.phases.2.schedule.cosine.cycles=2",
]


WIDE = ["models.class_unet.filters=8"]


def params(*overrides: str) -> Params:
    return read_recipe(Layout(PROJECT), "subset", [*LONG, *overrides])


def total(of: Params) -> int:
    return sum(cost.training for cost in recipe_costs(of, CROPS.train, CROPS.pseudolabels))


def matched_epochs(base: Params, variant: Params) -> list[str]:
    units = epoch_costs(variant, CROPS.train, CROPS.pseudolabels)
    return epochs_at_cost(variant, units, total(base))


@pytest.mark.parametrize(
    ("planned", "units", "target", "epochs"),
    [
        ([12, 10], [1, 4], 52, [12, 10]),
        ([12, 10], [2, 8], 52, [6, 5]),
        ([12, 10], [1, 4], 104, [24, 20]),
        ([3, 3, 1], [5, 5, 5], 20, [2, 1, 1]),  # whom is due as much is served in order
        ([30, 1], [1, 1], 3, [2, 1]),
        ([5], [10], 24, [2]),
        ([5, 5], [100, 100], 1, [1, 1]),
    ],
)
def test_epochs_are_dealt_in_proportion(
    planned: list[int], units: list[int], target: int, epochs: list[int]
) -> None:
    assert deal(planned, units, target) == epochs


@pytest.mark.parametrize(
    ("target", "epochs"),
    [
        (122, [3, 2]),  # 110 are near enough; the proportions count for more than the rest
        (130, [4, 2]),  # one more epoch of the dear phase leads from 110 to 150
        (131, [4, 2]),  # 150 would be nearer than 110, but too far beyond
        (137, [3, 3]),
        (30, [1, 1]),  # one epoch each is too much already
    ],
)
def test_cheap_phases_fill_what_is_missing(target: int, epochs: list[int]) -> None:
    """Two phases as those of the recipe cpu: 12 epochs, and 10 of each of four cycles."""
    assert deal([12, 10], [10, 40], target) == epochs


@pytest.mark.parametrize(
    "change",
    [
        ["models.class_unet.filters=6"],
        ["models.class_unet.filters=3"],
        ["pseudolabel.enabled=false"],
        ["survey.pretraining=90", "train_per_fold.phases.1.data=survey"],
    ],
)
def test_a_variant_gets_the_cost_of_its_base(change: list[str]) -> None:
    base = params()
    found = matched_epochs(base, params(*change))
    assert total(params(*change, *found)) == pytest.approx(total(base), rel=0.03)
    assert total(params(*change)) != pytest.approx(total(base), rel=0.03)


def test_a_variant_of_the_same_cost_keeps_its_epochs() -> None:
    assert matched_epochs(params(), params("training.augmentation=none")) == []


def test_phases_on_labels_that_nobody_makes_cost_nothing() -> None:
    one = params("pseudolabel.enabled=false")
    found = matched_epochs(one, params("pseudolabel.enabled=false", *WIDE))
    assert [each.partition(".schedule")[0] for each in found] == [
        "train_per_fold.phases.1",
        "train_per_fold.phases.2",
    ]


def test_costs_that_whole_epochs_cannot_match_are_refused() -> None:
    few = [each.partition("=")[0] + "=1" for each in LONG]
    with pytest.raises(InputError, match=r"at best, and .* are wanted; give the base more"):
        matched_epochs(params(*few), params(*few, *WIDE))


def test_crops_are_the_survey_s_or_the_competition_s() -> None:
    assert expected_crops(params(), None, None) == CropCounts(60, 24)
    assert expected_crops(params("ingest.source=tgs"), None, 7) == CropCounts(4000, 7)
