"""Kaggle's three tables: train.csv, depths.csv and sample_submission.csv."""

import pandas as pd

from saltseg.config.model_definitions import DEEPEST
from saltseg.crops.tgs.folder import RawFile
from saltseg.crops.tgs.offenders import refuse_any, repeated
from saltseg.plumbing.csv_tables import CsvTable, parse_csv
from saltseg.plumbing.errors import InputError
from saltseg.scoring import ids


def read_codes(file: RawFile) -> pd.Series:
    """Return `rle_mask` by id, as text; "" is no salt. For train.csv and sample_submission.csv."""
    return _read_column(file, "rle_mask")


def read_depths(file: RawFile) -> pd.Series:
    """Return the depth in feet by id, int64, from depths.csv."""
    text = _read_column(file, "z")
    depths = pd.to_numeric(text, errors="coerce")
    wrong = text[~((depths >= 0) & (depths <= DEEPEST) & (depths % 1 == 0))]
    names = [f"{key} ({value!r})" for key, value in wrong.items()]
    problem = f"depth z that is no whole number of feet from 0 to {DEEPEST:,}"
    refuse_any(file.path, problem, names, len(text), "correct column z")
    return depths.astype("int64")


def _read_column(file: RawFile, column: str) -> pd.Series:
    """Return one column by id, as text. Raises InputError for a broken table or a wrong id."""
    try:
        table = parse_csv(file.read(), file.path)
    except OSError as error:
        raise InputError(f"{file.path}: cannot be read ({error}); download it again") from error
    if not table.header:
        raise InputError(f"{file.path}: is empty; download it again")
    for name in ("id", column):
        if name not in table.header:
            has = ", ".join(table.header)
            raise InputError(f"{file.path}: has no column {name!r}, only {has}; download it again")
    table.refuse_extra_fields()
    names, lines = _fields(table, "id")
    ids.require(file.path, names, lines)
    refuse_any(
        file.path, "id that occurs twice", repeated(names), len(names), "keep one row of each"
    )
    return pd.Series(_fields(table, column)[0], pd.Index(names, dtype=object), dtype=object)


def _fields(table: CsvTable, column: str) -> tuple[list[str], list[int]]:
    """Return a column ("" for short rows) and its line numbers, skipping empty lines."""
    place = table.header.index(column)
    rows = [
        (row[place] if place < len(row) else "", line)
        for row, line in zip(table.rows, table.lines, strict=True)
        if row
    ]
    return [text for text, _ in rows], [line for _, line in rows]
