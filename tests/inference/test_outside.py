"""Predictions of other systems: each fault is told in one line, before anything is averaged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from saltseg.inference.outside import check_folds, load_outside
from saltseg.plumbing.errors import InputError

IDS = ["a", "b", "c"]
SHAPE = (3, 101, 101)


def write(folder: Path, array: object, ids: str = "id\na\nb\nc\n") -> None:
    np.save(folder / "test.npy", array)  # type: ignore[arg-type]
    (folder / "test.csv").write_text(ids)


def with_value(value: float) -> np.ndarray:
    array = np.full(SHAPE, 0.5, np.float32)
    array[1, 7, 8] = value
    return array


@pytest.mark.parametrize("kind", ["uint8", "float16", "float32", "float64"])
def test_crops_come_in_the_order_they_are_asked_for(tmp_path: Path, kind: str) -> None:
    levels = np.array([0, 51, 255]) / (1 if kind == "uint8" else 255)
    write(tmp_path, np.broadcast_to(levels.reshape(3, 1, 1), SHAPE).astype(kind))
    found = load_outside(tmp_path, "test", ["c", "a"], IDS).read(slice(0, 2))
    assert found.dtype == np.float32
    assert found[:, 0, 0].tolist() == [1, 0]
    (middle,) = load_outside(tmp_path, "test", ["b"], IDS).read([0])
    assert middle[3, 4] == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize(
    ("array", "ids", "words"),
    [
        (np.zeros((3, 128, 128)), "id\na\nb\nc\n", r"its shape is \(3, 128, 128\)"),
        (np.zeros(SHAPE, bool), "id\na\nb\nc\n", "its numbers are bool"),
        (np.zeros(SHAPE), "id\na\nb\n", "has 2 ids for the 3 crops"),
        (np.zeros(SHAPE), "name\na\nb\nc\n", "has no column id"),
        (np.zeros(SHAPE), "id\na\nb\nb\n", "1 are listed twice: b"),
        (np.zeros(SHAPE), "id\na\nb\nx\n", "1 are no crops of this set: x"),
        (np.zeros((2, 101, 101)), "id\na\nb\n", "1 are missing: c"),
        (with_value(float("nan")), "id\na\nb\nc\n", "crop b holds nan"),
        (with_value(3.5), "id\na\nb\nc\n", "crop b holds 3.5; probabilities are from 0 to 1"),
        (with_value(-0.25), "id\na\nb\nc\n", "crop b holds -0.25"),
        (np.ones(SHAPE, np.uint8), "id\na\nb\nc\n", "multiply by 255"),
    ],
)
def test_what_would_mix_up_crops_or_numbers_is_refused(
    tmp_path: Path, array: np.ndarray, ids: str, words: str
) -> None:
    write(tmp_path, array, ids)
    with pytest.raises(InputError, match=words) as caught:
        load_outside(tmp_path, "test", IDS, IDS)
    assert "\n" not in str(caught.value)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"test\.npy: is not there"):
        load_outside(tmp_path, "test", IDS, IDS)
    (tmp_path / "test.npy").write_text("no array")
    with pytest.raises(InputError, match=r"test\.npy: cannot be read"):
        load_outside(tmp_path, "test", IDS, IDS)
    np.save(tmp_path / "test.npy", np.zeros(SHAPE))
    with pytest.raises(InputError, match=r"test\.csv: is not there"):
        load_outside(tmp_path, "test", IDS, IDS)


def test_only_crops_that_are_asked_for_need_a_probability(tmp_path: Path) -> None:
    write(tmp_path, with_value(float("nan")))
    assert load_outside(tmp_path, "test", ["a", "c"], IDS).read([0, 1]).max() == 0.5


def test_other_folds_are_refused(tmp_path: Path) -> None:
    folds = pd.DataFrame({"id": ["a", "c"], "fold": [0, 1]})
    path = tmp_path / "out_of_fold.csv"
    path.write_text("id\na\nb\nc\n")
    assert not check_folds(tmp_path, folds)
    path.write_text("fold,id\n0,a\n7,b\n1,c\n")
    assert check_folds(tmp_path, folds)
    path.write_text("id,fold\na,0\nb,7\nc,0\n")
    with pytest.raises(InputError, match=r"1 of 2 crops are in another fold: c \(0, here 1\)"):
        check_folds(tmp_path, folds)
