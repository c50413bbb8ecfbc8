"""Progress of long work: a bar on a terminal, sparse lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Yield `items` and show on standard error how many of `total` are done."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc=description, total=total, leave=False)
    else:
        yield from _lines(items, description, total)


def _lines(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Write a line every ten seconds at the most, and one at the end."""
    started = shown = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - shown >= 10 and done < total:
            shown = now
            print(f"{description}: {done:,} of {total:,}, {now - started:.0f} s", file=sys.stderr)
    print(f"{description}: {done:,} done in {time.monotonic() - started:.0f} s", file=sys.stderr)
