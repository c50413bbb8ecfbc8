"""The textual header of a SEG-Y file: 40 lines of 80 characters, in EBCDIC or ASCII."""

import re

TEXT_BYTES = 3200
LINE = 80


def decode_text(header: bytes) -> list[str]:
    """Return the lines of a textual header of 3,200 bytes; what is no text becomes a dot.

    EBCDIC is code page 037. Of the two codes, that which yields more text is taken.
    """
    texts = [header.decode("latin-1"), header.decode("cp037")]
    text = max(texts, key=_legible)
    clean = "".join(character if " " <= character <= "~" else "." for character in text)
    return [clean[start : start + LINE].rstrip() for start in range(0, len(clean), LINE)]


def _legible(text: str) -> int:
    """Count the characters that headers are made of."""
    return len(re.findall(r"[A-Za-z0-9 .,:;()/=+\-]", text))


def is_end(header: bytes) -> bool:
    """Tell whether an extended textual header is the stanza that ends a variable number of them."""
    return any("((SEG:ENDTEXT))" in line.upper().replace(" ", "") for line in decode_text(header))


def hints_of_domain(lines: list[str]) -> list[tuple[int, str]]:
    """Return (line number, "time" or "depth") wherever the text names one of the two."""
    words = {"time": r"\b(TIME|TWT|MS|MSEC|MILLISECONDS?)\b", "depth": r"\b(DEPTH|TVD|TVDSS)\b"}
    return [
        (number, domain)
        for number, line in enumerate(lines, start=1)
        for domain, pattern in words.items()
        if re.search(pattern, line.upper())
    ]
