"""The worker processes that make sections."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from threading import Thread
from typing import TypeVar

from saltseg.plumbing.memory import keep_freed_memory

Item = TypeVar("Item")
Made = TypeVar("Made")


def prefetched(
    function: Callable[[Item], Made], items: Iterable[Item], workers: int, ahead: int
) -> Iterator[Made]:
    """Yield what `function` makes of each item, in order, made by `workers` processes.

    ahead: items that are made, or being made, before they are asked for; `items` may be endless.
    """
    context, rest = multiprocessing.get_context("spawn"), iter(items)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=set_up_worker) as pool:
        made = deque(pool.submit(function, item) for item in islice(rest, ahead))
        try:
            while made:
                yield made.popleft().result()
                made.extend(pool.submit(function, item) for item in islice(rest, 1))
        finally:
            pool.shutdown(cancel_futures=True)


def set_up_worker() -> None:
    """Keep freed memory in this process, and exit when its parent is killed."""
    keep_freed_memory()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the parent to end, which a process waiting for work would not notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
