"""Files that may not grow."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

SPACE = 8192


@contextmanager
def files_limited() -> Iterator[None]:
    """Let no file grow beyond `SPACE`."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SPACE, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
