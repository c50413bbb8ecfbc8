"""An image or a section of a survey, with what its interpreter said of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Label:
    """What an interpreter said of a section, both bool (samples, traces).

    salt: False where nothing is said. interpreted: where salt and its absence are known.
    """

    salt: Mask
    interpreted: Mask


@dataclass(frozen=True)
class OwnSection:
    """Pixels of an image or section: rows are samples, columns are traces.

    pixels: real numbers (rows, columns), finite. live: bool, where there is data. label: None where
    nothing is interpreted.
    """

    pixels: npt.NDArray[Any]
    live: Mask
    label: Label | None


@dataclass(frozen=True)
class Source:
    """A section that is read when it is needed.

    name: begins the ids of its crops. group: names its mosaic. labelled: whether it has a label.
    first_depth, depth_step: feet of its first row and from row to row; None where unknown.
    read: returns the section, the same at each call.
    """

    name: str
    group: str
    labelled: bool
    first_depth: float | None
    depth_step: float
    read: Callable[[], OwnSection]
