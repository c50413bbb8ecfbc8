"""The depths of images as a caller gives them, and which models read them."""

from collections.abc import Sequence
from numbers import Real
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import DEEPEST
from saltseg.config.params import Params, load_params
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout


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


def reads_depth(params: Params) -> bool:
    """Return whether a member reads the depth of crops."""
    members = params.train_per_fold.members
    return any("depth" in params.models[member].input.channels for member in members)


def check_depth_is_read(model: Path, depth: float | None) -> None:
    """Raise InputError for a depth without effect; model: its folder, with params.yaml."""
    if depth is not None and not reads_depth(load_params(Layout(model).params)):
        raise InputError("--depth: this model does not read it; leave it out")
