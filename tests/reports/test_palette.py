"""The palette, seen by those who see fewer colours."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from saltseg.reports.palette import FALSE, HIT, MISSED, PREDICTION, TRUTH, Paint

Colours = npt.NDArray[np.float64]

# Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color
# vision deficiency": severity 1, on linear RGB.
VISION = {
    "common": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}

CLEAR = 8
"""A difference of colours (CIEDE2000) that is seen at a glance; 2.3 is just noticeable."""


def seen(colour: Colours, vision: str) -> Colours:
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    simulated = np.clip(np.asarray(VISION[vision]) @ linear, 0, 1)
    encoded = np.where(
        simulated <= 0.0031308, 12.92 * simulated, 1.055 * simulated ** (1 / 2.4) - 0.055
    )
    lab: Colours = rgb2lab(encoded[None, None])[0, 0]
    return lab


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("paints", [(HIT, MISSED, FALSE), (TRUTH, PREDICTION)])
def test_fills_differ_from_each_other_and_from_the_image(
    vision: str, paints: tuple[Paint, ...]
) -> None:
    for level in range(30, 231, 20):
        image = np.full(3, float(level))
        fills = [
            (1 - paint.opacity) * image + paint.opacity * np.array(paint.colour) for paint in paints
        ]
        for one, other in combinations([image, *fills], 2):
            assert deltaE_ciede2000(seen(one, vision), seen(other, vision)) > CLEAR
