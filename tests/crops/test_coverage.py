"""Coverage, its classes, vertical and black crops, and their distributions."""

from fractions import Fraction
from math import ceil

import numpy as np
import pandas as pd
import pytest

from saltseg.config.model_definitions import CROP
from saltseg.crops.coverage import (
    class_summary,
    count_classes,
    coverage_class,
    coverage_distribution,
    depth_distribution,
    describe_crops,
    is_black,
    is_vertical,
    mask_kinds,
)
from saltseg.crops.crop_set import CropSet, crop_table

AREA = CROP * CROP


def make_crops() -> CropSet:
    """Three training crops (no salt, one pixel, two full columns) and two test crops."""
    masks = np.zeros((3, CROP, CROP), dtype=bool)
    masks[1, 50, 50] = True
    masks[2, :, :2] = True
    train_images = np.full((3, CROP, CROP), 7, dtype=np.uint8)
    train_images[0] = 0
    test_images = np.zeros((2, CROP, CROP), dtype=np.uint8)
    test_images[1, 100, 100] = 1
    train = pd.DataFrame({"id": ["c", "a", "b"], "depth": [60, 110, 130]})
    test = pd.DataFrame({"id": ["x", "y"], "depth": [60, 280]})
    table = crop_table(train, test, ["y", "x"]).sort_values(["split", "id"], ignore_index=True)
    return CropSet(table, train_images, masks, test_images)


@pytest.mark.parametrize("area", [AREA, 100])
def test_class_is_the_exact_ceiling_for_every_count(area: int) -> None:
    pixels = np.arange(area + 1)
    expected = [ceil(Fraction(10 * int(count), area)) for count in pixels]
    assert coverage_class(pixels, area).tolist() == expected


def test_kinds_of_masks() -> None:
    masks = np.zeros((5, CROP, CROP), dtype=bool)
    masks[1, :10, :10] = True
    masks[2, :, 50:] = True
    masks[3, 50:] = True
    masks[4, :10, :10] = masks[4, 10, 0] = True
    assert mask_kinds(masks).tolist() == ["empty", "tiny", "vertical", "common", "common"]


def test_vertical_masks_are_full_columns_only() -> None:
    masks = np.zeros((5, CROP, CROP), dtype=bool)
    masks[1, :, 3:9] = True
    masks[2, :, 3:9] = True
    masks[2, 100, 20] = True
    masks[3, :, :] = True
    masks[4, 1:, 3:9] = True
    assert is_vertical(masks).tolist() == [False, True, False, True, False]


def test_black_images_hold_nothing_but_zero() -> None:
    images = np.zeros((3, CROP, CROP), dtype=np.uint8)
    images[1, -1, -1] = 1
    images[2] = 128
    assert is_black(images).tolist() == [True, False, False]


def test_crops_are_described_by_id() -> None:
    described = describe_crops(make_crops()).set_index("id")
    assert described.index.tolist() == ["x", "y", "a", "b", "c"]
    assert described.loc["a", "coverage"] == 1 / AREA
    assert described["coverage_class"].to_dict() == {"x": -1, "y": -1, "a": 1, "b": 1, "c": 0}
    assert described["coverage"].isna().tolist() == [True, True, False, False, False]
    assert described.index[described["vertical"]].tolist() == ["b"]
    assert described.index[described["black"]].tolist() == ["x", "c"]


def test_column_types_hold_without_missing_integers() -> None:
    described = describe_crops(make_crops())
    types = described.dtypes.astype(str)
    assert types["coverage"] == "float64"
    assert types["coverage_class"] == "int64"
    assert types["vertical"] == types["black"] == "bool"


def test_counts_name_every_class() -> None:
    counts = count_classes(describe_crops(make_crops()))
    assert [counts[f"class_{number:02d}"] for number in range(11)] == [1, 2] + [0] * 9
    assert (counts["vertical"], counts["black_train"], counts["black_test"]) == (1, 1, 1)
    assert counts["mean_coverage"] == pytest.approx((1 + 2 * CROP) / AREA / 3)


def test_class_summary_bounds_lie_within_their_tenth() -> None:
    summary = class_summary(describe_crops(make_crops()).query("split == 'train'"))
    assert summary["crops"].tolist() == [1, 2] + [0] * 9
    assert (summary["least"][1], summary["largest"][1]) == (1 / AREA, 2 / CROP)


def test_coverage_distribution_keeps_empty_masks_apart() -> None:
    coverage = pd.DataFrame({"coverage": [0, 0, 1 / AREA, 0.05, 0.051, 1]})
    distribution = coverage_distribution(coverage).set_index("up_to")["crops"]
    assert distribution[distribution > 0].to_dict() == {0.0: 2, 0.05: 2, 0.1: 1, 1.0: 1}


def test_depth_distribution_sums_to_one_and_has_no_gaps() -> None:
    distribution = depth_distribution(describe_crops(make_crops()))
    assert distribution["depth"].tolist() == [50, 100, 150, 200, 250]
    assert distribution["train"].tolist() == pytest.approx([1 / 3, 2 / 3, 0, 0, 0])
    assert distribution["test"].tolist() == [0.5, 0, 0, 0, 0.5]
