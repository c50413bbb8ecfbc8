"""The depths of images as a caller gives them."""

from collections.abc import Sequence
from numbers import Real

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import DEEPEST
from saltseg.plumbing.errors import InputError


def checked_depths(
    given: Sequence[float] | npt.NDArray[np.floating] | None, count: int
) -> npt.NDArray[np.float32] | None:
    """Return the depth of each of `count` images, float32 in feet; a single one applies to all.

    Raises InputError for another number of them, and for what is no depth.
    """
    if given is None or len(given) == 0:
        return None
    if len(given) not in (1, count):
        raise InputError(
            f"depth: {len(given)} values for {count} images; give one, or one per image"
        )
    for value in given:
        number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not (number and 0 <= value <= DEEPEST):
            raise InputError(f"depth: {value!r} is not a depth; give feet from 0 to {DEEPEST:,}")
    return np.broadcast_to(np.array(given, np.float32), count)
