"""Water, and the seabed below it."""

import numpy as np

from saltseg.survey.fields import smooth_curve
from saltseg.survey.grid import Mask
from saltseg.survey.plan import tilted
from saltseg.survey.streams import Stream
from saltseg.survey.style import Setting


def draw_water(rng: Stream, setting: Setting) -> Mask:
    """Return the water above a gently sloping seabed, present in most shallow sections.

    rng: the stream of the structure, whose first draws are the water's.
    """
    if setting.top_depth >= 220 or rng.random() > 0.8:
        return np.zeros((1, setting.grid.width), np.bool_)
    scale = setting.scale
    seabed = 50 + rng.uniform(20, 150) + 14 * scale * smooth_curve(rng, 130 * scale)
    return setting.depth < seabed + tilted(rng, rng.normal(0, 0.06), 0.06)
