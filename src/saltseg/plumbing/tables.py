"""Plain tables for the terminal."""

from collections.abc import Iterable, Sequence

from tabulate import tabulate


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return rows of text in aligned columns below their heads; every row is as long as `heads`.

    numbers: how many of the last columns are right-aligned.
    """
    alignment = ["left"] * (len(heads) - numbers) + ["right"] * numbers
    text = tabulate([*rows], heads, tablefmt="plain", colalign=alignment, disable_numparse=True)
    return "\n".join(line.rstrip() for line in text.splitlines())
