"""Progress of long work: a bar on a terminal, sparse lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Yield `items` and show on standard error how many of `total` are done."""
    with counted(description, total) as count:
        for item in items:
            yield item
            count.one()


class Count(Protocol):
    """Receives the progress of a piece of work."""

    def one(self) -> None:
        """Count one more of the total."""

    def say(self, text: str) -> None:
        """Show how it goes: beside the bar, or in a line of the log."""


@contextmanager
def counted(description: str, total: int) -> Iterator[Count]:
    """Show progress on standard error. The block counts up to `total`; it may stop earlier."""
    if sys.stderr.isatty():
        with tqdm(desc=description, total=total, leave=False) as bar:
            yield _Bar(bar)
    else:
        lines = _Lines(description, total)
        yield lines
        lines.end()


class _Bar:
    """A bar with the time left, and what was said last."""

    def __init__(self, bar: "tqdm[Any]") -> None:
        self._bar = bar

    def one(self) -> None:
        self._bar.update()

    def say(self, text: str) -> None:
        self._bar.set_postfix_str(text)


class _Lines:
    """At most one line every ten seconds, one for what is said, and one at the end."""

    def __init__(self, description: str, total: int) -> None:
        self._description = description
        self._total = total
        self._started = self._shown = self._first = time.monotonic()
        self._done = 0

    def one(self) -> None:
        self._done += 1
        now = time.monotonic()
        if self._done == 1:
            self._first = now
        if now - self._shown >= 10 and self._done < self._total:
            self._shown = now
            self._print(self._state(now))

    def say(self, text: str) -> None:
        now = time.monotonic()
        if 0 < self._done < self._total:
            text += f", {duration(self._each(now) * (self._total - self._done))} left"
        self._shown = now
        self._print(text)

    def end(self) -> None:
        """Say how much was done, and in which time."""
        self._print(f"{self._done:,} done in {time.monotonic() - self._started:.0f} s")

    def _state(self, now: float) -> str:
        """Say how much is done, and from the second on the rate and the time left."""
        told = f"{self._done:,} of {self._total:,}, {now - self._started:.0f} s"
        if self._done == 1:
            return told
        each = self._each(now)
        rate = f"{1 / each:.3g}/s" if each <= 1 else f"{each:.3g} s each"
        return f"{told}, {rate}, {duration(each * (self._total - self._done))} left"

    def _each(self, now: float) -> float:
        """Return the mean seconds that one takes.

        The first, which may have to start processes, is left out once there is a second.
        """
        if self._done == 1:
            return now - self._started
        return max(now - self._first, 1e-3) / (self._done - 1)

    def _print(self, text: str) -> None:
        print(f"{self._description}: {text}", file=sys.stderr)


def duration(seconds: float) -> str:
    """Write a time in the unit that reads best: "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
