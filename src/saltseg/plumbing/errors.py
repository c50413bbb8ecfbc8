"""Errors that a person can act on, and how they reach the person."""

import errno
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_OF_THE_DISK = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
}
"""What the system says where space or rights are missing, whoever wanted to write."""


class InputError(Exception):
    """Something given to saltseg is wrong; its message is one line that says what to do."""


def first_few(items: Sequence[object], limit: int = 5) -> str:
    """Name the first `limit` of `items` and count the rest: "a, b, c and 4 more"."""
    named = ", ".join(str(item) for item in items[:limit])
    rest = len(items) - limit
    return f"{named} and {rest:,} more" if rest > 0 else named


def printable(text: str) -> str:
    """Put an escape in place of what would steer a terminal: control characters and their like."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def printable_lines(text: str) -> str:
    """Do the same for a text of several lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def reason_of(error: Exception) -> str:
    """Put an error's kind and message into one line of 200 characters, without a password.

    An InputError's message is such a line, and whole.
    """
    if isinstance(error, InputError):
        return printable(str(error))
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return printable(without_password(said))[:200]


def without_password(text: str) -> str:
    """Leave user and password out of addresses: "https://user:password@host" is "https://host"."""
    return re.sub(r"//[^/\s]*@", "//", text)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print an InputError, or that space or rights are missing, as one line; leave with code 1."""
    try:
        yield
    except InputError as error:
        print(f"saltseg: {printable(str(error))}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        print(f"saltseg: {error}; free space or change the rights", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("saltseg: interrupted", file=sys.stderr)
        sys.exit(130)
