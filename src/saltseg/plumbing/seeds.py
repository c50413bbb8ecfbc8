"""Named random streams: one seed for the whole pipeline, one stream for each use."""

import hashlib

import numpy as np


def stream_seed(seed: int, *names: str | int) -> int:
    """Return a 64-bit seed that depends on `seed` and every name only."""
    text = "/".join(str(name) for name in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a generator for the use that `names` describe, for example ("train", "lite0", 3)."""
    return np.random.default_rng(stream_seed(seed, *names))
