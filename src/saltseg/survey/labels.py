"""Labels as drawn by an interpreter, smooth and slightly off, and "vertical" label noise."""

import numpy as np

from saltseg.survey.fields import smooth_field, smoothed
from saltseg.survey.grid import Mask
from saltseg.survey.style import Setting

COLUMN_SECTIONS = 0.35
"""Share of sections with a part labelled by column."""


def draw_outline(setting: Setting, salt: Mask) -> Mask:
    """Return the interpreter's salt: smoothed corners, and an outline up to a few pixels off.

    Across a smoothed edge the value falls by 1 / (sigma sqrt(2 pi)) per pixel, so an offset field
    divided by this moves the outline by its value in pixels.
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
    """Return the usable part's label with one row repeated down to the bottom, or None.

    This is how the real set's "vertical" masks arose: below the depth to which salt was picked,
    every column is all salt or all sediment.
    """
    rng = setting.generator("columns")
    if rng.random() > COLUMN_SECTIONS:
        return None
    row = int(rng.uniform(0.1, 0.8) * len(outline))
    label = outline.copy()
    label[row:] = label[row]
    return label
