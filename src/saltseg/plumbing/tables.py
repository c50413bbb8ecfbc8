"""Plain tables for the terminal."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return rows of text in aligned columns below their heads; every row is as long as `heads`.

    numbers: how many columns, the last ones, stand to the right.
    """
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    marks = ["<"] * (len(heads) - numbers) + [">"] * numbers
    return "\n".join(
        "  ".join(
            f"{text:{mark}{width}}" for text, mark, width in zip(line, marks, widths, strict=True)
        ).rstrip()
        for line in lines
    )
