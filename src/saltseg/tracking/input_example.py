"""The example of a request that a logged model comes with."""

from typing import Any

import numpy as np
import numpy.typing as npt

from saltseg.survey.tiles import cut_tiles

_SEED = 2018

_COVERAGE = 0.5
"""The share of salt in the wanted crop."""


def input_example() -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
    """Return a crop, uint8 (1, 101, 101), and the parameter `depth`, in feet.

    The crop is always the same one, of the synthetic survey: crops of the run may not be handed on
    with the model. It has salt and sediments. Models that read no depths ignore the parameter.
    """
    tiles = cut_tiles(_SEED, "default", 0)
    tile = min(tiles, key=lambda each: abs(float(each.mask.mean()) - _COVERAGE))
    return tile.image[None], {"depth": [float(tile.depth)]}
