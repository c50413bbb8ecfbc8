"""Reading YAML from users, with a limit on the expansion of aliases."""

from pathlib import Path

import yaml

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import read_regular

_MOST_BYTES = 1 << 20
_MOST_NODES = 100_000
"""Largest number of values with aliases expanded; params.yaml has a few hundred."""


def read_yaml(path: Path) -> object:
    """Read a YAML file of up to 1 MiB.

    Raises InputError, one line, if it is not a regular file or not YAML, refers to itself, or
    expands to more than 100,000 values by aliases (a few lines can expand to billions).
    """
    content = read_regular(path, _MOST_BYTES)
    try:
        return parse_yaml(content)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(
            f"{path}: cannot be read as YAML: {' '.join(str(reason).split())}"
        ) from error


def parse_yaml(content: str | bytes) -> object:
    """Return the value of a YAML text. Raises ValueError, YAMLError or RecursionError."""
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        count = _expanded(root, {}, [])
        if count > _MOST_NODES:
            raise ValueError(
                f"its aliases expand to {count:,} values, more than {_MOST_NODES:,}; write them out"
            )
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _expanded(node: yaml.Node, known: dict[int, int], above: list[int]) -> int:
    """Count the values of a node with aliases expanded; each distinct node is walked only once."""
    place = id(node)
    if place in above:
        raise ValueError("an alias refers to a node that contains it; write it out")
    if place not in known:
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        flat = [each for part in parts for each in (part if isinstance(part, tuple) else (part,))]
        above.append(place)
        known[place] = 1 + sum(_expanded(each, known, above) for each in flat)
        above.pop()
    return known[place]
