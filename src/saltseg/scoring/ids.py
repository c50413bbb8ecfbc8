"""The rule for crop ids, applied wherever ids are read.

An id is used as a CSV field, in file names, as a label in figures and on the command line. A valid
id needs no quoting in any of these, on any file system.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from saltseg.plumbing.errors import InputError, first_few

_LONGEST = 200
"""Longest id in bytes of UTF-8; leaves room for affixes in file names of at most 255 bytes."""

_AS_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE)
"""How spreadsheets write 6514567e48, a hexadecimal id, after reading it as a number.

Kaggle's own ids may look like 6514567e48, but have neither sign nor decimal point."""

_ADVICE = "use letters, digits, '_', '-' and '.', beginning with a letter, a digit or '_'"

_SPREADSHEET_ADVICE = (
    "this cannot be undone; go back to the original file, and import its column id as text"
)


def require(place: Path, names: Sequence[str], lines: Sequence[int] = ()) -> None:
    """Raise InputError, naming the first offenders, if ids break the rule; see faults.

    place: the file or folder that holds them. lines: line number of each in the file.
    """
    wrong = dict.fromkeys(damaged(names), "")
    problem, advice = "turned into a number by a spreadsheet", _SPREADSHEET_ADVICE
    if not wrong:
        wrong, problem, advice = faults(names), "that cannot be used", _ADVICE
    if not wrong:
        return
    at = {name: f"line {line}" for name, line in zip(names, lines, strict=False)}
    cases = [f"{name!a}{_bracketed(at.get(name, ''), fault)}" for name, fault in wrong.items()]
    raise InputError(
        f"{place}: id {problem}, {len(cases):,} of {len(names):,}: {first_few(cases)}; {advice}"
    )


def faults(ids: Iterable[str]) -> dict[str, str]:
    """Return what is wrong with each id that breaks the rule; {} if all are valid.

    An id consists of letters and digits of any script, "_", "-" and "."; does not begin with "-" or
    "."; has up to 200 bytes in UTF-8 and Unicode normal form C. No two ids differ by case alone.
    """
    wrong: dict[str, str] = {}
    alike: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(ids):
        fault = _fault(name)
        if fault:
            wrong[name] = fault
        alike[unicodedata.normalize("NFC", name).casefold()].append(name)
    for first, *others in alike.values():
        for other in others:
            wrong.setdefault(other, f"differs from {first} by case or Unicode form alone")
    return wrong


def damaged(ids: Iterable[str]) -> list[str]:
    """Return the ids that a spreadsheet turned into numbers, such as 6.51E+55."""
    return [name for name in ids if _AS_NUMBER.fullmatch(name) and not name.isalnum()]


def _bracketed(*parts: str) -> str:
    known = ", ".join(part for part in parts if part)
    return f" ({known})" if known else ""


def _fault(name: str) -> str:
    if not name:
        return "is empty"
    strange = next((char for char in name if not (char.isalnum() or char in "_-.")), None)
    if unicodedata.normalize("NFC", name) != name:
        return "is not in Unicode normal form C"
    if strange is not None:
        return f"has {_shown(strange)}"
    if name[0] in "-.":
        return f"begins with '{name[0]}'"
    size = len(name.encode("utf-8"))
    return f"has {size} bytes, more than {_LONGEST}" if size > _LONGEST else ""


def _shown(char: str) -> str:
    """Return a printable form of a character that may be invisible or break the line."""
    return ascii(char) if char == " " or not char.isprintable() else f"'{char}'"
