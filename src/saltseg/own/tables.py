"""CSV tables of labels: columns by name, and numbers."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from saltseg.plumbing.csv_tables import read_csv
from saltseg.plumbing.errors import InputError


def read_columns(
    path: Path, required: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where each row is, for messages, and its fields by column, "" where there is none.

    Raises InputError where a required column is missing, one is unknown, or there is no row.
    """
    table = read_csv(path)
    table.refuse_extra_fields()
    header = [name.strip().lower() for name in table.header]
    for name in required:
        if name not in header:
            raise InputError(
                f"{path}: has no column {name!r}, only {', '.join(header) or 'none'}; write"
                f" {','.join(required)} in its first line"
            )
    unknown = [name for name in header if name not in (*required, *optional)]
    if unknown:
        known = ", ".join((*required, *optional))
        raise InputError(f"{path}: column {unknown[0]!r} is none of {known}; take it out")
    if not table.rows:
        raise InputError(f"{path}: holds no rows; write the labels below the header")
    for line, row in zip(table.lines, table.rows, strict=True):
        if row:
            fields = dict.fromkeys((*required, *optional), "")
            fields |= {name: text.strip() for name, text in zip(header, row, strict=False)}
            yield f"{path}: line {line:,} of the file", fields


def number_of(text: str, where: str, column: str, whole: bool = False) -> float:
    """Return the number in a field. Raises InputError where it is none, or not whole."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (whole and number % 1):
        kind = "whole number" if whole else "number"
        raise InputError(f"{where}: {column} is {text!r}, no {kind}; correct it")
    return number
