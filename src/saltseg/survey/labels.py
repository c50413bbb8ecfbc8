"""Labels as an interpreter draws them: smoothed and a little off; and columns, a label noise."""

import numpy as np

from saltseg.survey.fields import smooth_field, smoothed
from saltseg.survey.grid import Mask
from saltseg.survey.style import Setting

COLUMN_SECTIONS = 0.35
"""Share of sections with a stretch that was labelled by column."""


def draw_outline(setting: Setting, salt: Mask) -> Mask:
    """Return the interpreter's salt: smoothed corners, and an outline up to some pixels off.

    Across a smoothed edge the value falls by 1 / (sigma sqrt(2 pi)) a pixel, so an offset field
    moves the outline by its own number of pixels.
    """
    if not salt.any():
        return salt
    rng = setting.generator("outline")
    sigma = setting.style.label_smoothing
    offset = np.float32(rng.uniform(0, 1.6)) * smooth_field(rng, 25, 25)
    slope = np.float32(1 / (np.hypot(sigma, 0.3) * np.sqrt(2 * np.pi)))
    level = 0.5 + np.clip(offset * slope, -0.45, 0.45)
    outline: Mask = np.roll(smoothed(salt, sigma) > level, -setting.style.label_lift, axis=0)
    return outline


def draw_columns(setting: Setting, outline: Mask) -> Mask | None:
    """Return the usable part's label where all below some row repeats that row, or None.

    The real set's "vertical" masks came about so: below the depth to which salt was picked, every
    column is all salt or all sediment.
    """
    rng = setting.generator("columns")
    if rng.random() > COLUMN_SECTIONS:
        return None
    row = int(rng.uniform(0.1, 0.8) * len(outline))
    label = outline.copy()
    label[row:] = label[row]
    return label
