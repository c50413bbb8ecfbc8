"""Plain tables for the terminal."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of text in aligned columns below their heads; every row is as long as `heads`."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def short(digest: str | None) -> str:
    """Return the first characters of a hash, which are enough to tell it by; "-" for none."""
    return digest[:12] if digest else "-"
