"""Mutes: where processing set samples to zero, at the top and in water."""

import numpy as np

from saltseg.survey.fields import smooth_curve
from saltseg.survey.grid import MARGIN, Field
from saltseg.survey.plan import tilted
from saltseg.survey.structure import Structure
from saltseg.survey.style import Setting


def mute(setting: Setting, structure: Structure, image: Field) -> Field:
    """Return the image with zeros where the survey's style mutes it."""
    style = setting.style
    if style.water_mute:
        image = np.where(structure.water, np.float32(0), image)
    if style.top_mute:
        rng = setting.generator("mute")
        depth = MARGIN + rng.uniform(0.02, 0.25) * setting.grid.samples
        edge = depth + tilted(rng, rng.normal(0, 0.1), 0.1) + 4 * smooth_curve(rng, 60)
        image = np.where(setting.grid.rows < edge, np.float32(0), image)
    return image
