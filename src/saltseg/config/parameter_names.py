"""The names of parameters, and which one a wrong name probably stands for."""

import difflib
import re
from collections.abc import Collection, Iterator

_OPEN = re.compile(r"models|snapshot_ensemble\.member_weights|.+\.loss")
"""Parameters that are mappings to which names may be added."""


def parameter_names(content: object, path: str = "") -> Iterator[str]:
    """Yield the dotted path of every parameter and section in the content of params.yaml."""
    if isinstance(content, dict):
        items = [(str(key), value) for key, value in content.items()]
    elif isinstance(content, list):
        items = [(str(index), value) for index, value in enumerate(content)]
    else:
        return
    for key, value in items:
        name = f"{path}.{key}" if path else key
        yield name
        yield from parameter_names(value, name)


def nearest_name(name: str, known: Collection[str]) -> str | None:
    """Return the known name that `name` resembles most; None if none does.

    A name that only lacks its section, or has a wrong one, comes first, then one spelled alike in
    the same section, then one spelled alike in another.
    """
    section, _, last = name.rpartition(".")
    known = [each for each in known if not name.startswith(f"{each}.")]
    same = sorted(each for each in known if each.rpartition(".")[2] == last)
    if same:
        return difflib.get_close_matches(name, same, 1, 0)[0]
    siblings = [each for each in known if section and each.rpartition(".")[0] == section]
    # A section that does not exist may be misspelt as well.
    whole = [] if siblings else difflib.get_close_matches(name, known, 1)
    return _alike(last, siblings) or next(iter(whole), None) or _alike(last, known)


def _alike(last: str, known: Collection[str]) -> str | None:
    """Return the known name whose last part is spelled like `last`."""
    lasts = {each.rpartition(".")[2]: each for each in sorted(known, reverse=True)}
    found = difflib.get_close_matches(last, lasts, 1)
    return lasts[found[0]] if found else None


def beside(name: str, known: Collection[str]) -> list[str]:
    """Return the known names in the same section as `name`; all for a name without a section."""
    section = name.rpartition(".")[0]
    return [each for each in known if not section or each.rpartition(".")[0] == section]


def unknown_name(name: str, known: Collection[str]) -> str:
    """Say that there is no such parameter, and which one was probably meant."""
    parent = name.rpartition(".")[0]
    if parent in known and _OPEN.fullmatch(parent):
        return f"{name}: {parent} has no such entry; add it with +{name}=VALUE"
    near = nearest_name(name, known)
    advice = f"did you mean {near}?" if near else "remove it"
    return f"{name}: there is no such parameter; {advice}"
