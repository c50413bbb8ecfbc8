from pathlib import Path

import numpy as np
import pytest

from saltseg.scoring.components import clean
from saltseg.scoring.metric import precision, salt_masks
from saltseg.selection import postprocess
from saltseg.selection.postprocess import (
    clean_by_part,
    search_sizes,
    size_pairs,
    write_test_masks,
)
from saltseg.selection.sizes import KEEP
from saltseg.selection.thresholds import Thresholds

PAIRS = size_pairs([0, 10, 40], [0, 10, 40])
PARTS = np.arange(40) // 2 % 2
HALF = Thresholds(0.5, {0: 0.5, 1: 0.5})


def as_probabilities(masks: np.ndarray) -> np.ndarray:
    return masks.astype(np.float16)


def disks_and_specks() -> tuple[np.ndarray, np.ndarray]:
    """Truths of one disk or nothing, and masks that add a speck of 9 pixels."""
    rows, columns = np.mgrid[:50, :50]
    truth = np.zeros((40, 50, 50), bool)
    truth[::2] = (rows - 30) ** 2 + (columns - 25) ** 2 < 100
    masks = truth.copy()
    masks[:, 5:8, 5:8] = True
    return masks, truth


def test_pairs_are_unique_and_the_gentlest_first() -> None:
    assert size_pairs([5, 0, 5], [10]) == [KEEP, (0, 10), (5, 10)]
    assert PAIRS[:3] == [(0, 0), (0, 10), (10, 0)]


def test_sizes_that_help_are_found_and_the_gentlest_are_taken() -> None:
    masks, truth = disks_and_specks()
    cleaning = search_sizes(as_probabilities(masks), truth, PARTS, HALF, PAIRS)
    assert cleaning.chosen.helps
    assert cleaning.chosen.overall == (10, 0)
    assert cleaning.chosen.by_part == {0: (10, 0), 1: (10, 0)}
    np.testing.assert_array_equal(cleaning.before, precision(masks, truth))
    assert cleaning.after.tolist() == [1.0] * 40


def test_sizes_of_zero_stay_where_nothing_helps() -> None:
    _, truth = disks_and_specks()
    truth[:, 5:8, 5:8] = True
    cleaning = search_sizes(as_probabilities(truth), truth, PARTS, HALF, PAIRS)
    assert not cleaning.chosen.helps
    assert cleaning.chosen.overall == KEEP
    assert set(cleaning.chosen.by_part.values()) == {KEEP}
    np.testing.assert_array_equal(cleaning.after, cleaning.before)


def test_sizes_that_mislead_the_other_part_are_not_taken() -> None:
    specks = disks_and_specks()[0][1::2]
    # Specks are salt in part 0 and noise in part 1.
    parts = np.arange(20) % 2
    truth = specks & (parts == 0)[:, None, None]
    cleaning = search_sizes(as_probabilities(specks), truth, parts, HALF, PAIRS)
    assert cleaning.chosen.by_part == {0: (10, 0), 1: KEEP}
    assert cleaning.after.mean() < cleaning.before.mean()
    assert not cleaning.chosen.helps
    assert cleaning.chosen.overall == KEEP


def test_sizes_of_a_part_are_chosen_at_its_own_threshold_on_the_others() -> None:
    masks, truth = disks_and_specks()
    # Beyond .6 there are no specks: at that threshold nothing needs cleaning.
    probabilities = np.where(truth, 0.9, np.where(masks, 0.6, 0.1)).astype(np.float16)
    limits = Thresholds(0.5, {0: 0.5, 1: 0.7})
    cleaning = search_sizes(probabilities, truth, PARTS, limits, PAIRS)
    assert cleaning.chosen.by_part == {0: (10, 0), 1: KEEP}
    assert cleaning.chosen.overall == (10, 0)
    assert cleaning.after.tolist() == [1.0] * 40
    np.testing.assert_array_equal(
        cleaning.before, precision(salt_masks(probabilities, limits.of(PARTS)), truth)
    )


def test_each_part_is_cleaned_with_its_own_sizes() -> None:
    masks, truth = disks_and_specks()
    cleaned = clean_by_part(masks, PARTS, {0: KEEP, 1: (10, 0)})
    np.testing.assert_array_equal(cleaned[PARTS == 0], masks[PARTS == 0])
    np.testing.assert_array_equal(cleaned[PARTS == 1], truth[PARTS == 1])


def test_test_masks_are_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postprocess, "CHUNK", 7)
    probabilities = np.random.default_rng(2).random((30, 20, 20)).astype(np.float16)
    path = tmp_path / "deep" / "masks.npy"
    write_test_masks(path, probabilities, 0.4, (6, 6))
    expected = clean(salt_masks(probabilities, 0.4), 6, 6)
    masks = np.load(path)
    assert masks.dtype == bool
    np.testing.assert_array_equal(masks, expected)
    assert [each.name for each in path.parent.iterdir()] == ["masks.npy"]
