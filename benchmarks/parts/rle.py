"""Run-length codes beside the two loops that public notebooks of the competition use."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from benchmarks.side_by_side import Row, compare, duration, fact_row, in_turn, limit_row
from benchmarks.smooth_crops import probabilities_and_truths
from saltseg.scoring.rle import Masks, decode, encode

MASKS = 18_000
WALKED = 500
"""Masks for the loop over pixels."""


def rows() -> list[Row]:
    """Measure encoding and decoding apart, then both."""
    probabilities, _ = probabilities_and_truths(MASKS)
    masks = probabilities > 0.5
    few = masks[:WALKED]
    codes, few_codes = encode(masks), encode(few)
    assert encode_masks(few) == walk_masks(few) == few_codes
    assert np.array_equal(decode_codes(few_codes), few)
    alone = in_turn(
        {"both": lambda: decode(encode(masks)), "write": lambda: np.full(masks.shape, True)}, 5
    )
    return [
        *compare(
            f"encode {WALKED} masks",
            lambda: encode(few),
            {"loop over pixels": lambda: walk_masks(few)},
            {"loop over pixels": 20},
        ),
        *compare(
            f"encode {MASKS:,} masks",
            lambda: encode(masks),
            {"loop over masks, numpy's differences in each": lambda: encode_masks(masks)},
            {"loop over masks, numpy's differences in each": 20},
        ),
        *compare(
            f"decode {MASKS:,} masks",
            lambda: decode(codes),
            {"loop over masks, a slice a run": lambda: decode_codes(codes)},
            {"loop over masks, a slice a run": 20},
        ),
        limit_row(f"encode and decode {MASKS:,} masks", median(alone["both"]), 1, duration),
        fact_row(
            f"of decoding, what only writing {MASKS:,} masks to memory takes",
            duration(median(alone["write"])),
        ),
    ]


def walk_masks(masks: Masks) -> list[str]:
    """Encode by walking down the columns pixel by pixel."""
    codes = []
    for mask in masks:
        runs, position, length = [], 1, 0
        for pixel in mask.reshape(-1, order="F"):
            if pixel:
                length += 1
                continue
            if length:
                runs.append((position, length))
                position += length
                length = 0
            position += 1
        if length:
            runs.append((position, length))
        codes.append(" ".join(f"{start} {length}" for start, length in runs))
    return codes


def encode_masks(masks: Masks) -> list[str]:
    """Encode mask by mask from the differences of its padded pixels."""
    codes = []
    for mask in masks:
        pixels = np.concatenate([[0], mask.T.ravel(), [0]])
        runs = np.where(pixels[1:] != pixels[:-1])[0] + 1
        runs[1::2] -= runs[::2]
        codes.append(" ".join(str(number) for number in runs))
    return codes


def decode_codes(codes: Sequence[str]) -> Masks:
    """Decode run by run."""
    masks = np.zeros((len(codes), 101 * 101), bool)
    for mask, code in zip(masks, codes, strict=True):
        numbers = [int(word) for word in code.split()]
        for start, length in zip(numbers[::2], numbers[1::2], strict=True):
            mask[start - 1 : start - 1 + length] = True
    return masks.reshape(-1, 101, 101).swapaxes(1, 2)
