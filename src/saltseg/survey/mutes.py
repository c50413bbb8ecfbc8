"""Mutes: samples set to zero in processing, at the top and in water."""

import numpy as np

from saltseg.survey.fields import smooth_curve
from saltseg.survey.grid import MARGIN, Mask
from saltseg.survey.plan import tilted
from saltseg.survey.structure import Structure
from saltseg.survey.style import Setting


def draw_mute(setting: Setting, structure: Structure) -> Mask:
    """Return the muted samples, in the shape of the grid; they have neither data nor salt."""
    style = setting.style
    muted = np.zeros(setting.grid.shape, np.bool_)
    if style.water_mute:
        muted |= structure.water
    if style.top_mute:
        rng = setting.generator("mute")
        depth = MARGIN + rng.uniform(0.02, 0.25) * setting.grid.samples
        edge = depth + tilted(rng, rng.normal(0, 0.1), 0.1) + 4 * smooth_curve(rng, 60)
        muted |= setting.grid.rows < edge
    return muted
