"""A whole section, made alone from a seed and its number."""

from dataclasses import dataclass

import numpy as np

from saltseg.survey.display import display
from saltseg.survey.grid import SIDE, Field, Mask, usable
from saltseg.survey.imaging import local_frequency, migrate
from saltseg.survey.labels import draw_columns, draw_outline
from saltseg.survey.noise import add_noise
from saltseg.survey.salt import draw_salt
from saltseg.survey.sediments import log_impedance
from saltseg.survey.structure import build_structure
from saltseg.survey.style import Setting, draw_setting


@dataclass(frozen=True)
class Section:
    """A finished section; every array has shape (USABLE, USABLE).

    amplitude: float32, as displayed. salt: the interpreter's outline. columns: the same with a
    stretch labelled by column, or None. water: what lies above the seabed.
    """

    setting: Setting
    amplitude: Field
    salt: Mask
    columns: Mask | None
    water: Mask


def make_section(seed: int, number: int) -> Section:
    """Make section `number` of the survey of `seed`; depends on nothing else."""
    setting = draw_setting(seed, number)
    structure = build_structure(setting, draw_salt(setting))
    impedance = log_impedance(setting, structure)
    frequency = local_frequency(setting, structure)
    image = migrate(setting, impedance, frequency)
    image = add_noise(setting, structure, image, frequency)
    amplitude = usable(display(setting, image))
    outline = usable(draw_outline(setting, structure.salt))
    water = usable(np.broadcast_to(structure.water, (SIDE, SIDE)))
    return Section(setting, amplitude, outline, draw_columns(setting, outline), water)
