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
            print(f"{description}: {_state(done, total, now - started)}", file=sys.stderr)
    print(f"{description}: {done:,} done in {time.monotonic() - started:.0f} s", file=sys.stderr)


def _state(done: int, total: int, seconds: float) -> str:
    """Say how far a work is, how fast it goes, and how long the rest takes at this rate."""
    rate, left = done / seconds, seconds * (total - done) / done
    told = f"{rate:.2g}/s" if rate >= 1 else f"{seconds / done:.2g} s each"
    return f"{done:,} of {total:,}, {seconds:.0f} s, {told}, {duration(left)} left"


def duration(seconds: float) -> str:
    """Say a time in the unit that reads best: "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
