"""Crops: quotas, splits, label noise, neighbours."""

import sys
import time
from itertools import pairwise

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saltseg.config.model_definitions import CROP
from saltseg.crops.coverage import CLASSES, coverage_class
from saltseg.survey import SurveySet, generate
from saltseg.survey.grid import USABLE
from saltseg.survey.quotas import CLASS_COUNTS, class_quotas
from saltseg.survey.sections import make_section
from saltseg.survey.tiles import TILES, _class_counts
from tests.survey.conftest import SEED


@settings(deadline=None)
@given(st.integers(1, 10_000))
def test_quotas_add_up_and_are_within_one_of_the_real_shares(crops: int) -> None:
    quotas = class_quotas(crops)
    assert quotas.sum() == crops
    assert np.abs(quotas - CLASS_COUNTS * crops / 4000).max() < 1


def test_every_coverage_class_has_its_quota(survey: SurveySet) -> None:
    for masks in (survey.crops.train_masks, survey.test_masks):
        classes = coverage_class(masks.sum(axis=(1, 2)), CROP**2)
        assert np.bincount(classes, minlength=11).tolist() == class_quotas(len(masks)).tolist()
        assert not masks.all(axis=(1, 2)).any()


def test_a_grids_classes_are_those_of_its_tiles() -> None:
    rng, last = np.random.default_rng(0), USABLE - TILES * CROP
    blocks = rng.random((9, 9)) < np.linspace(0, 1, 9)[:, None]
    salt = blocks.repeat(USABLE // 9, axis=0).repeat(USABLE // 9, axis=1)
    grids = np.array([[0, 0], [0, last], [last, 0], *rng.integers(0, last + 1, (20, 2))])
    expected = np.zeros((len(grids), CLASSES), np.int64)
    for counts, (top, left) in zip(expected, grids, strict=True):
        for i, j in np.ndindex(TILES, TILES):
            row, column = top + CROP * i, left + CROP * j
            tile = salt[row : row + CROP, column : column + CROP]
            counts[coverage_class(tile.sum(), CROP**2)] += 1
    assert expected.any(axis=0).all()
    np.testing.assert_array_equal(_class_counts(salt, grids), expected)


def test_processes_change_nothing() -> None:
    one, two = generate(12, 4, SEED, workers=1), generate(12, 4, SEED, workers=2)
    pd.testing.assert_frame_equal(one.sidecar, two.sidecar)
    pd.testing.assert_frame_equal(one.crops.table, two.crops.table)
    np.testing.assert_array_equal(one.crops.train_images, two.crops.train_images)
    np.testing.assert_array_equal(one.crops.train_masks, two.crops.train_masks)
    np.testing.assert_array_equal(one.crops.test_images, two.crops.test_images)
    np.testing.assert_array_equal(one.test_masks, two.test_masks)


def test_train_and_test_share_no_section(survey: SurveySet) -> None:
    sections = survey.sidecar.groupby("split")["section"].agg(set)
    assert not sections["train"] & sections["test"]


def test_sidecar_and_table_agree(survey: SurveySet) -> None:
    table, sidecar = survey.crops.table, survey.sidecar
    assert sidecar["id"].tolist() == table["id"].tolist()
    assert sidecar["split"].tolist() == table["split"].tolist()
    assert table["id"].str.fullmatch("[0-9a-f]{10}").all()
    assert table["id"].is_unique
    for part in (survey.crops.train, survey.crops.test):
        assert part["id"].is_monotonic_increasing
        assert part["row"].tolist() == list(range(len(part)))
    assert sorted(survey.crops.test["sample_order"]) == list(range(30))


def test_crops_come_from_where_the_sidecar_says(survey: SurveySet) -> None:
    lit = survey.crops.test_images.max(axis=(1, 2)) > 0
    lines = survey.sidecar[survey.sidecar["split"] == "test"].reset_index(drop=True)
    for index in np.flatnonzero(lit)[:4]:
        section = make_section(SEED, int(lines.loc[index, "section"]))
        row, column = int(lines.loc[index, "row"]), int(lines.loc[index, "column"])
        window = slice(row, row + CROP), slice(column, column + CROP)
        np.testing.assert_array_equal(survey.test_masks[index], section.salt[window])
        grey = survey.crops.test_images[index].ravel().astype(float)
        assert np.corrcoef(grey, section.amplitude[window].ravel())[0, 1] > 0.999
        assert survey.crops.test.loc[index, "depth"] == section.setting.top_depth + row


def test_label_noise_is_in_train_only_and_makes_columns(survey: SurveySet) -> None:
    sidecar = survey.sidecar
    assert not sidecar[sidecar["split"] == "test"]["label_noise"].any()
    noisy = sidecar[sidecar["split"] == "train"]["label_noise"].to_numpy()
    assert noisy.any()
    vertical = (survey.crops.train_masks == survey.crops.train_masks[:, :1]).all(axis=(1, 2))
    salt = survey.crops.train_masks.any(axis=(1, 2))
    assert 0.02 < vertical[salt].mean() < 0.07


def test_black_crops_are_empty_and_shallow(survey: SurveySet) -> None:
    crops = survey.crops
    black = crops.train_images.max(axis=(1, 2)) == 0
    assert black.any()
    assert not crops.train_masks[black].any()
    assert crops.train["depth"].to_numpy()[black].max() < 400


def test_crops_reach_both_ends_of_the_range_or_stop_just_short(survey: SurveySet) -> None:
    images = survey.crops.train_images[survey.crops.train_images.any(axis=(1, 2))]
    least, largest = images.min(axis=(1, 2)), images.max(axis=(1, 2))
    assert 0.9 < ((least <= 1) & (largest >= 254)).mean() < 1
    assert least.max() <= 10
    assert largest.min() >= 245


@pytest.mark.parametrize("column", ["right_neighbour", "lower_neighbour"])
def test_neighbours_continue_each_other(survey: SurveySet, column: str) -> None:
    images = dict(zip(survey.crops.train["id"], survey.crops.train_images, strict=True))
    lines = survey.sidecar[survey.sidecar["split"] == "train"].set_index("id")
    firsts = [images[name] for name in lines.index[lines[column] != ""]]
    seconds = [images[name] for name in lines[column][lines[column] != ""]]
    pairs = [(a, b) for a, b in zip(firsts, seconds, strict=True) if a.any() and b.any()]
    assert len(pairs) >= 10
    turned = column == "lower_neighbour"
    true = [_continuation(a, b, turned) for a, b in pairs]
    false = [_continuation(a, b, turned) for (a, _), (_, b) in pairwise(pairs)]
    assert np.median(true) > 0.9
    assert np.median(true) > np.median(false) + 0.3


def _continuation(first: np.ndarray, second: np.ndarray, turned: bool) -> float:
    """Correlate the right (or bottom) border of one with the left (or top) one of the other.

    Each border line is extrapolated by half a pixel.
    """
    before, after = first.astype(float), second.astype(float)
    if turned:
        before, after = before.T, after.T
    end = 1.5 * before[:, -1] - 0.5 * before[:, -2]
    start = 1.5 * after[:, 0] - 0.5 * after[:, 1]
    return float(np.corrcoef(end, start)[0, 1])


def test_workers_end_with_a_process_that_is_killed() -> None:
    code = "from saltseg.survey import generate; generate(5000, 5000, 1, workers=2)"
    process = psutil.Popen([sys.executable, "-c", f"if __name__ == '__main__': {code}"])
    try:
        while not (workers := [c for c in process.children() if "spawn_main" in c.cmdline()[-2]]):
            time.sleep(0.1)
            assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    _, left = psutil.wait_procs(workers, timeout=60)
    assert not left
