"""What may be the id of a crop: the one rule, held wherever ids come in.

An id becomes a field of a CSV, part of a file name, a label in a figure and a word on a command
line. What passes here needs no quoting in any of these, on any file system.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from saltseg.plumbing.errors import InputError, first_few

_LONGEST = 200
"""Bytes of an id in UTF-8: with what is added to it, a file name still has fewer than 255."""

_AS_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE)
"""How spreadsheets write 6514567e48, an id of hexadecimal digits, once they took it for a number.

Kaggle's own ids may look like 6514567e48, but have neither sign nor point."""

_ADVICE = "name crops by letters, digits, '_', '-' and '.', beginning with a letter, a digit or '_'"

_SPREADSHEET_ADVICE = (
    "that cannot be undone; take the file that the spreadsheet was given, and import its column id"
    " as text"
)


def require(place: Path, names: Sequence[str], lines: Sequence[int] = ()) -> None:
    """Raise InputError, naming the first of them, where ids break the rule; see faults.

    place: the file or folder that they stand in. lines: where in the file each stands.
    """
    wrong = dict.fromkeys(damaged(names), "")
    problem, advice = "turned into a number by a spreadsheet", _SPREADSHEET_ADVICE
    if not wrong:
        wrong, problem, advice = faults(names), "that cannot be used", _ADVICE
    if not wrong:
        return
    at = {name: f"line {line}" for name, line in zip(names, lines, strict=False)}
    told = [f"{name!a}{_bracketed(at.get(name, ''), fault)}" for name, fault in wrong.items()]
    raise InputError(
        f"{place}: id {problem}, {len(told):,} of {len(names):,}: {first_few(told)}; {advice}"
    )


def faults(ids: Iterable[str]) -> dict[str, str]:
    """Return what is wrong with each id that breaks the rule; an empty dict where none does.

    An id has letters and digits of any script, "_", "-" and "."; begins with none of the last two;
    has up to 200 bytes of UTF-8, in Unicode's normal form C. Two ids differ in more than case.
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
            wrong.setdefault(other, f"differs from {first} by case or Unicode's form alone")
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
        return "is not in Unicode's normal form C"
    if strange is not None:
        return f"has {_shown(strange)}"
    if name[0] in "-.":
        return f"begins with '{name[0]}'"
    size = len(name.encode("utf-8"))
    return f"has {size} bytes, more than {_LONGEST}" if size > _LONGEST else ""


def _shown(char: str) -> str:
    """Name a character that may be invisible, or break the line."""
    return ascii(char) if char == " " or not char.isprintable() else f"'{char}'"
