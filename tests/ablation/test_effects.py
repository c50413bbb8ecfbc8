"""The paired difference against a plain reference."""

import statistics
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from saltseg.ablation.effects import Design, Scores, paired_effect
from saltseg.plumbing.errors import InputError

DESIGN = Design(folds=3, new_crops=False, resamples=200, variants=1)
T_OF_FIVE = 2.5705818366147395
"""Student's t at 97.5 % with five degrees of freedom, from a table."""
T_OF_FIVE_AT_99 = 4.0321429835552284
"""The same at 99.5 %."""


def scores(seeds: int, change: float = 0.0) -> Scores:
    """Make twelve crops a seed, in three folds and six mosaics; `change` raises fold 0 most."""
    found = {}
    for seed in range(seeds):
        draws = np.random.default_rng(seed).integers(11, size=12) / 10
        fold = np.arange(12) % 3
        raised = change * (3 - fold) * (1 + seed)
        names = [f"crop{number}" for number in range(12)]
        mosaics = [f"mosaic{number // 2}" for number in range(12)]
        found[seed] = pd.DataFrame(
            {"id": names, "fold": fold, "mosaic": mosaics, "before": 0.0, "after": draws + raised}
        )
    return found


def plain_differences(base: Scores, variant: Scores) -> dict[tuple[int, int], list[float]]:
    found: dict[tuple[int, int], list[float]] = {}
    for seed in base:
        changed = dict(zip(variant[seed]["id"], variant[seed]["after"], strict=True))
        for line in base[seed].to_dict("records"):
            pair = found.setdefault((seed, line["fold"]), [])
            pair.append(changed[line["id"]] - line["after"])
    return found


@pytest.mark.parametrize(("new_crops", "shared"), [(False, 1 / 2), (True, 1 / 2 / 2)])
def test_difference_spread_and_interval_are_those_of_plain_python(
    new_crops: bool, shared: float
) -> None:
    base, variant = scores(2), scores(2, change=0.05)
    effect = paired_effect(base, variant, Design(3, new_crops, 200, 1), "after")
    pairs = plain_differences(base, variant)
    means = [statistics.mean(pair) for pair in pairs.values()]
    every = [each for pair in pairs.values() for each in pair]
    assert effect.difference == pytest.approx(statistics.mean(every))
    assert effect.spread == pytest.approx(statistics.stdev(means))
    half_width = T_OF_FIVE * statistics.stdev(means) * (1 / 6 + shared) ** 0.5
    expected = (effect.difference - half_width, effect.difference + half_width)
    assert effect.over_pairs == pytest.approx(expected)
    assert effect.pairs["difference"].tolist() == pytest.approx(means)
    assert effect.pairs["crops"].tolist() == [4] * 6


def test_rows_in_another_order_are_paired_by_id() -> None:
    base, variant = scores(1), scores(1, change=0.1)
    turned = {0: variant[0].iloc[::-1].reset_index(drop=True)}
    assert paired_effect(base, turned, DESIGN, "after").difference == pytest.approx(
        paired_effect(base, variant, DESIGN, "after").difference
    )


def test_a_single_pair_gives_no_retraining_interval() -> None:
    base, variant = ({0: each[0].assign(fold=2)} for each in (scores(1), scores(1, change=0.1)))
    effect = paired_effect(base, variant, DESIGN, "after")
    assert effect.spread is None and effect.over_pairs is None
    low, high = effect.over_mosaics
    assert low < effect.difference < high


def test_seeds_that_share_their_crops_share_their_mosaics() -> None:
    """One mosaic in all leaves the bootstrap nothing to draw; two of the same name do not."""
    base, variant = (
        {seed: table.assign(mosaic="one") for seed, table in each.items()}
        for each in (scores(2), scores(2, change=0.1))
    )
    low, high = paired_effect(base, variant, DESIGN, "after").over_mosaics
    assert low == high
    low, high = paired_effect(base, variant, Design(3, True, 200, 1), "after").over_mosaics
    assert low < high


def test_intervals_of_several_variants_hold_together() -> None:
    """Bonferroni: of 5 variants, each at 99 %."""
    base, variant = scores(2), scores(2, change=0.05)
    alone = paired_effect(base, variant, DESIGN, "after")
    among = paired_effect(base, variant, replace(DESIGN, variants=5), "after")
    half_widths = []
    for each in (alone, among):
        assert each.over_pairs is not None
        half_widths.append(each.over_pairs[1] - each.difference)
    assert half_widths[1] / half_widths[0] == pytest.approx(T_OF_FIVE_AT_99 / T_OF_FIVE)
    assert among.over_mosaics[0] < alone.over_mosaics[0]
    assert among.over_mosaics[1] > alone.over_mosaics[1]


def test_the_score_to_compare_is_named() -> None:
    base, variant = (
        {seed: table.assign(over_thresholds=table["after"] / 2) for seed, table in each.items()}
        for each in (scores(1), scores(1, change=0.1))
    )
    effect = paired_effect(base, variant, DESIGN, "over_thresholds")
    whole = paired_effect(base, variant, DESIGN, "after")
    assert effect.difference == pytest.approx(whole.difference / 2)


def test_other_crops_are_no_pairs() -> None:
    base, variant = scores(1), scores(1)
    with pytest.raises(InputError, match="seed 0: base and variant share 11 of 12 and 11 crops"):
        paired_effect(base, {0: variant[0].iloc[1:]}, DESIGN, "after")
