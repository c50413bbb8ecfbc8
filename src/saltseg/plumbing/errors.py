"""Errors that users can act on, and how they are shown."""

import errno
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_FULL = "free space or change the permissions"
_REMEDIES = {
    errno.EACCES: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.ENOSPC: _FULL,
    errno.EPERM: _FULL,
    errno.EROFS: _FULL,
    errno.ENAMETOOLONG: "give it a shorter name",
}
"""What to do about what a disk refuses, by the system's number of the error."""

_IN_URLS = re.compile(r"//[^/\s]*@")
"""Credentials after "//"."""

_LOOSE = re.compile(r"(?<![^\s/:'\"(=])[^\s/:@'\"(=]*:[^\s/@'\"]\S*@")
"""USER:PASSWORD@ elsewhere, or with a slash in it; models:/NAME@ALIAS is no such thing."""


class InputError(Exception):
    """Invalid input; the message is one line that says what to do."""


def first_few(items: Sequence[object], limit: int = 5) -> str:
    """Name the first `limit` of `items` and count the rest: "a, b, c and 4 more"."""
    named = ", ".join(str(item) for item in items[:limit])
    rest = len(items) - limit
    return f"{named} and {rest:,} more" if rest > 0 else named


def printable(text: str) -> str:
    """Escape control characters and other unprintable characters, which could steer a terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def printable_lines(text: str) -> str:
    """Do the same for a text of several lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def reason_of(error: Exception) -> str:
    """Return an error's type and message in one line of up to 200 characters, without passwords.

    An InputError's message already is one line and is not cut.
    """
    if isinstance(error, InputError):
        return printable(str(error))
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return printable(without_password(said))[:200]


def without_password(text: str) -> str:
    """Strip credentials from URLs: "https://user:password@host" becomes "https://host".

    So it does where a typing error makes them no URLs: "https:/user:password@host".
    """
    return _LOOSE.sub("", _IN_URLS.sub("//", text))


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print an InputError, or what a disk refuses, as one line and exit with code 1."""
    try:
        yield
    except InputError as error:
        print(f"saltseg: {printable(str(error))}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in _REMEDIES:
            raise
        print(f"saltseg: {error}; {_REMEDIES[error.errno]}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("saltseg: interrupted", file=sys.stderr)
        sys.exit(130)
