"""Keeping freed memory in the process for reuse."""

import ctypes

KEPT = 1 << 30
"""Bytes of freed memory that a process keeps (glibc only)."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Constants of glibc's malloc.h."""
MMAP_MAX = 32 << 20
"""Largest mmap threshold that glibc chooses by itself; it trims at twice as much."""


def keep_freed_memory(at_most: int = KEPT, from_size: int = KEPT) -> None:
    """Let glibc keep up to `at_most` bytes of freed memory; blocks of `from_size` are returned.

    By default glibc returns large arrays to the system, which zeroes every page of the next ones:
    a quarter of the time of a synthetic section, 10 to 25 % of a training step on two cores, and
    more of a prediction. With other C libraries this does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # Trimming less only helps if such blocks are not mapped individually; some versions refuse
    # thresholds above MMAP_MAX.
    if mallopt is not None and (
        mallopt(M_MMAP_THRESHOLD, from_size) or mallopt(M_MMAP_THRESHOLD, MMAP_MAX)
    ):
        mallopt(M_TRIM_THRESHOLD, at_most)
