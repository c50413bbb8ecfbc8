from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saltseg.scoring import rle

stacks = hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7))


def code_of(mask: np.ndarray) -> str:
    """Walk down the columns pixel by pixel: the reference."""
    runs: list[list[int]] = []
    for number, salt in enumerate(mask.T.ravel(), start=1):
        if salt and runs and sum(runs[-1]) == number:
            runs[-1][1] += 1
        elif salt:
            runs.append([number, 1])
    return " ".join(f"{start} {length}" for start, length in runs)


@settings(deadline=None)
@given(stacks)
def test_encode_is_the_pixel_walk_and_decode_its_inverse(masks: np.ndarray) -> None:
    codes = rle.encode(masks)
    assert codes == [code_of(mask) for mask in masks]
    decoded = rle.decode(codes, masks.shape[1:])
    assert decoded.dtype == bool
    assert decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, masks)


def test_pixels_count_from_one_down_the_columns() -> None:
    mask = np.array([[[0, 0, 1], [1, 0, 1]]], bool)
    assert rle.encode(mask) == ["2 1 5 2"]
    np.testing.assert_array_equal(rle.decode(["2 1 5 2"], (2, 3)), mask)


def test_runs_do_not_join_across_crops() -> None:
    masks = np.stack([np.ones((101, 101)), np.ones((101, 101)), np.zeros((101, 101))]).astype(bool)
    assert rle.encode(masks) == ["1 10201", "1 10201", ""]
    np.testing.assert_array_equal(rle.decode(["1 10201", "1 10201", ""]), masks)


def test_runs_that_touch_are_in_order() -> None:
    assert rle.decode(["1 2 3 1"], (2, 2)).sum() == 3


def test_no_crops() -> None:
    assert rle.encode(np.zeros((0, 101, 101), bool)) == []
    assert rle.decode([]).shape == (0, 101, 101)


def test_more_crops_than_are_worked_on_together() -> None:
    generator = np.random.default_rng(1)
    side = 101
    masks = np.zeros((2 + rle.PIXELS // side**2, side, side), bool)
    masks[::50] = generator.random(masks[::50].shape) < 0.5
    masks[-1] = True
    codes = rle.encode(masks)
    assert codes == [code_of(mask) if mask.any() else "" for mask in masks]
    np.testing.assert_array_equal(rle.decode(codes), masks)
    with pytest.raises(rle.CodeError) as caught:
        rle.decode(["x", *codes[1:-1], "10201 2"])
    assert list(caught.value.faults) == [0, len(codes) - 1]


def test_spaces_around_numbers_are_passed_over() -> None:
    codes = ["  1 2  5 1 ", " ", "1 1"]
    assert rle.encode(rle.decode(codes, (3, 4))) == ["1 2 5 1", "", "1 1"]


def test_encode_takes_memory_mapped_and_strided_masks() -> None:
    masks = np.random.default_rng(0).random((6, 4, 9)) < 0.5
    strided = masks[::2, ::-1, ::3]
    assert rle.encode(strided) == [code_of(mask) for mask in strided]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("1", "ends with start '1', which has no length"),
        ("1 2 7", "ends with start '7', which has no length"),
        ("1 x", "'x' is not a whole number from 1 to 12"),
        ("1.0 2", "'1.0' is not a whole number from 1 to 12"),
        ("0 2", "'0' is not a whole number from 1 to 12"),
        ("3 0", "'0' is not a whole number from 1 to 12"),
        ("-1 2", "'-1' is not a whole number from 1 to 12"),
        ("1_0 1", "'1_0' is not a whole number from 1 to 12"),
        ("٣ 1", "'٣' is not a whole number from 1 to 12"),
        ("99999999999999999999 1", "'99999999999999999999' is not a whole number from 1 to 12"),
        ("01 1", "'01' is not a whole number from 1 to 12"),
        ("1\t2", "'1\\t2' is not a whole number from 1 to 12"),
        ("1 1 3 13", "'13' is not a whole number from 1 to 12"),
        ("nan", "'nan' is not a whole number from 1 to 12"),
        ("12 2", "run '12 2' ends after the last pixel, 12"),
        ("5 2 1 2", "run '1 2' begins before the end of run '5 2'"),
        ("1 3 3 2", "run '3 2' begins before the end of run '1 3'"),
        ("1 3 1 3", "run '1 3' begins before the end of run '1 3'"),
    ],
)
def test_a_wrong_code_is_named_with_its_first_fault(code: str, fault: str) -> None:
    with pytest.raises(rle.CodeError) as caught:
        rle.decode(["1 12", "", code], (3, 4))
    assert caught.value.faults == {2: fault}
    assert str(caught.value) == f"code 2: {fault}"


def test_every_wrong_code_is_named_in_order() -> None:
    with pytest.raises(rle.CodeError) as caught:
        rle.decode(["9 9", "1 1", "3 3 1 1", "x", "1 2 3"], (3, 4))
    assert list(caught.value.faults) == [0, 2, 3, 4]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-2, 14), max_size=6), max_size=4))
def test_decode_takes_exactly_the_codes_that_keep_the_rules(lists: list[list[int]]) -> None:
    def keeps_the_rules(numbers: list[int]) -> bool:
        runs = list(zip(numbers[::2], numbers[1::2], strict=False))
        return (
            len(numbers) % 2 == 0
            and all(start >= 1 and length >= 1 and start + length <= 13 for start, length in runs)
            and all(first + length <= second for (first, length), (second, _) in pairwise(runs))
        )

    wrong = [index for index, numbers in enumerate(lists) if not keeps_the_rules(numbers)]
    codes = [" ".join(map(str, numbers)) for numbers in lists]
    try:
        rle.decode(codes, (3, 4))
        assert wrong == []
    except rle.CodeError as error:
        assert list(error.faults) == wrong
