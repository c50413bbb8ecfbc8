"""Kaggle's three tables: train.csv, depths.csv and sample_submission.csv."""

import io

import pandas as pd

from saltseg.crops.tgs.folder import RawFile
from saltseg.crops.tgs.offenders import refuse_any, repeated
from saltseg.plumbing.errors import InputError


def read_codes(file: RawFile) -> pd.Series:
    """Return `rle_mask` by id, as text; "" is no salt. For train.csv and sample_submission.csv."""
    return _read_column(file, "rle_mask")


def read_depths(file: RawFile) -> pd.Series:
    """Return the depth in feet by id, int64, from depths.csv."""
    text = _read_column(file, "z")
    depths = pd.to_numeric(text, errors="coerce")
    wrong = text[~((depths >= 0) & (depths % 1 == 0))]
    names = [f"{key} ({value!r})" for key, value in wrong.items()]
    refuse_any(
        file.path, "depth that is no whole number of feet", names, len(text), "correct column z"
    )
    return depths.astype("int64")


def _read_column(file: RawFile, column: str) -> pd.Series:
    """Return one column by id, as text. Raises InputError for a broken table or an id twice."""
    try:
        table = pd.read_csv(
            io.BytesIO(file.read()), dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file.path}: cannot be read ({reason}); download it again") from error
    for name in ("id", column):
        if name not in table:
            has = ", ".join(map(str, table.columns))
            raise InputError(f"{file.path}: has no column {name!r}, only {has}; download it again")
    refuse_any(
        file.path, "id that occurs twice", repeated(table["id"]), len(table), "keep one row of each"
    )
    return table.set_index("id")[column].fillna("")  # a row of an id alone
