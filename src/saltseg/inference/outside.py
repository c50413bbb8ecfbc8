"""Predictions of another system, which join the ensemble as a member.

outside/NAME/out_of_fold.npy, out_of_fold.csv, test.npy, test.csv: probabilities of salt, and the
crops they are of, line by line.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.model_definitions import CROP
from saltseg.plumbing.csv_tables import CsvTable, read_csv
from saltseg.plumbing.errors import InputError, first_few

Probabilities = npt.NDArray[np.float32]

OUT_OF_FOLD, TEST = "out_of_fold", "test"
"""The names of the files without their suffixes."""

_TYPES = ("uint8", "float16", "float32", "float64")
_CHUNK = 256


@dataclass(frozen=True)
class OutsidePredictions:
    """Checked probabilities of some crops; `array`, (crops, 101, 101), is memory-mapped."""

    array: npt.NDArray[Any]
    places: npt.NDArray[np.int64]

    def read(self, lines: slice | Sequence[int]) -> Probabilities:
        """Return the probabilities of some of the crops that were asked for: float32 (n, h, w)."""
        return _as_probabilities(self.array[self.places[lines]])


def load_outside(
    folder: Path, name: str, wanted: Sequence[str], known: Collection[str]
) -> OutsidePredictions:
    """Open the predictions `name`.npy in `folder` for the crops `wanted`, in their order.

    The array is uint8, 255 for certain salt, or of floats from 0 to 1. Its crops are in the order
    of the column `id` of `name`.csv, and may be more than `wanted`.
    known: all ids of the set. Raises InputError, in one line, for each fault that would mix up
    crops or numbers: a missing file, shape, number format, ids, range, NaN.
    """
    path, ids_path = folder / f"{name}.npy", folder / f"{name}.csv"
    array, ids = _open(path), _read_ids(ids_path)
    if len(ids) != len(array):
        raise InputError(
            f"{ids_path}: has {len(ids):,} ids for the {len(array):,} crops of {path.name}; write"
            " one line a crop, in the same order"
        )
    _check_ids(ids_path, ids, wanted, known)
    order = pd.Series(np.arange(len(ids)), index=pd.Index(ids, dtype=object))
    found = OutsidePredictions(array, order.loc[list(wanted)].to_numpy(np.int64))
    _check_values(path, found, wanted)
    return found


def check_folds(folder: Path, folds: pd.DataFrame) -> bool:
    """Check that out_of_fold.csv in `folder` held out as this run does; return if it says how.

    folds: lines `id` and `fold`, of crops that it has. Raises InputError naming crops that differ.
    """
    path = folder / f"{OUT_OF_FOLD}.csv"
    table = read_csv(path)
    if "fold" not in table.header:
        return False
    given = dict(zip(_column(table, "id"), _column(table, "fold"), strict=True))
    pairs = zip(folds["id"], folds["fold"], strict=True)
    wrong = [f"{name} ({given[name]}, here {fold})" for name, fold in pairs
             if given[name] != str(fold)]  # fmt: skip
    if wrong:
        raise InputError(
            f"{path}: fold: {len(wrong):,} of {len(folds):,} crops are in another fold:"
            f" {first_few(wrong, 3)}; train the other system on the folds of"
            " data/fold-split/folds.parquet"
        )
    return True


def _open(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r")
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: is not there; put it there, or take {path.parent.name} out of"
            " snapshot_ensemble.outside"
        ) from error
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); write it with numpy.save") from error
    if not isinstance(array, np.ndarray) or array.shape[1:] != (CROP, CROP):
        shape = getattr(array, "shape", "of several arrays")
        raise InputError(f"{path}: its shape is {shape}; write crops x {CROP} x {CROP} numbers")
    if array.dtype.name not in _TYPES:
        raise InputError(
            f"{path}: its numbers are {array.dtype}; write probabilities from 0 to 1 as float16 or"
            " float32, or 0 to 255 as uint8"
        )
    return array


def _read_ids(path: Path) -> list[str]:
    if not path.exists():
        raise InputError(f"{path}: is not there; it lists the ids, in a column id")
    table = read_csv(path)
    if "id" not in table.header:
        raise InputError(f"{path}: has no column id in its first line; name it")
    return _column(table, "id")


def _column(table: CsvTable, name: str) -> list[str]:
    place = table.header.index(name)
    return [row[place] if len(row) > place else "" for row in table.rows]


def _check_ids(
    path: Path, ids: Sequence[str], wanted: Sequence[str], known: Collection[str]
) -> None:
    twice = pd.Series(ids, dtype=object)
    faults = {
        "are listed twice": twice[twice.duplicated()].tolist(),
        "are no crops of this set": sorted({*ids} - {*known}),
        "are missing": sorted({*wanted} - {*ids}),
    }
    for words, wrong in faults.items():
        if wrong:
            raise InputError(
                f"{path}: id: {len(wrong):,} {words}: {first_few(wrong)}; list each crop once"
            )


def _check_values(path: Path, found: OutsidePredictions, ids: Sequence[str]) -> None:
    """Raise InputError for numbers that are no probabilities."""
    most = 0.0
    for start in range(0, len(ids), _CHUNK):
        values = found.read(slice(start, start + _CHUNK))
        fine = (values >= 0) & (values <= 1)  # which NaN is not
        if not fine.all():
            crop, *place = np.argwhere(~fine)[0].tolist()
            raise InputError(
                f"{path}: crop {ids[start + crop]} holds {values[crop][tuple(place)]:g};"
                " probabilities are from 0 to 1"
            )
        most = max(most, float(values.max(initial=0)))
    if found.array.dtype == np.uint8 and 0 < most < 2 / 255:
        raise InputError(f"{path}: holds no number above 1, and 255 is certain; multiply by 255")


def _as_probabilities(values: npt.NDArray[Any]) -> Probabilities:
    scale = np.float32(255 if values.dtype == np.uint8 else 1)
    return values.astype(np.float32) / scale
