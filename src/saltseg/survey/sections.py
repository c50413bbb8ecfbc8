"""Finished inlines: those of a volume, or a section, made from a seed and its number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from saltseg.survey.display import display
from saltseg.survey.grid import Field, Mask
from saltseg.survey.imaging import Migration, Spectrum, local_frequency
from saltseg.survey.labels import draw_columns, draw_outline
from saltseg.survey.mutes import draw_mute
from saltseg.survey.noise import add_noise, signal_level
from saltseg.survey.sediments import log_impedance
from saltseg.survey.structure import Structure, build_structure
from saltseg.survey.style import Setting, draw_setting
from saltseg.survey.surroundings import Crest, SaltPlanes, look_around, strided


@dataclass(frozen=True)
class Section:
    """A finished section or inline; every array has shape (samples, crosslines).

    amplitude: float32, as displayed. salt: the interpreter's outline. columns: the same with a
    stretch labelled by column, or None. water: what lies above the seabed.
    """

    setting: Setting
    amplitude: Field
    salt: Mask
    columns: Mask | None
    water: Mask


@dataclass(frozen=True)
class Levels:
    """Reference amplitudes, which make inlines comparable.

    signal: standard deviation of the image in sediments. white: the amplitude scaled to 1.
    """

    signal: float
    white: float


@dataclass(frozen=True)
class Earth:
    """An inline before imaging."""

    setting: Setting
    structure: Structure
    impedance: Field


def make_section(seed: int, number: int, style: str = "default") -> Section:
    """Make section `number` of the survey of `seed` in a named style; nothing else matters."""
    setting = draw_setting(seed, number, style)
    planes = SaltPlanes(setting)
    earth = next(earths(planes, range(1), None))
    migration = Migration(setting)
    section, _levels = finished(earth, migration, [migration.spectrum(earth.impedance)], None)
    return section


def earths(planes: SaltPlanes, inlines: range, crest: Crest | None) -> Iterator[Earth]:
    """Yield inlines in turn. crest: the volume's; a section has its own."""
    setting = planes.setting
    salts = planes.cleaned(inlines)
    afar = inlines if setting.grid.is_section else strided(setting, inlines)
    masks = salts if setting.grid.is_section else planes.cleaned(afar)
    around = look_around(setting, afar.start, masks, crest)
    for inline, salt in zip(inlines, salts, strict=True):
        there = setting.at(inline)
        structure = build_structure(there, salt, around)
        yield Earth(there, structure, log_impedance(there, structure))


def finished(
    earth: Earth, migration: Migration, spectra: Sequence[Spectrum], levels: Levels | None
) -> tuple[Section, Levels]:
    """Image an inline, add noise, display and label it.

    spectra: of the inline and `migration.reach` neighbours on either side. levels: the volume's;
    by default the inline's own, which are returned.
    """
    setting, structure = earth.setting, earth.structure
    frequency = local_frequency(setting, structure)
    image = migration.image(spectra, frequency)
    signal = levels.signal if levels else signal_level(structure, image)
    image = add_noise(setting, structure, image, frequency, signal)
    image, white = display(setting, image, levels.white if levels else None)
    muted = draw_mute(setting, structure)
    grid = setting.grid
    outline = grid.usable(draw_outline(setting, structure.salt) & ~muted)
    columns = draw_columns(setting, outline) if grid.is_section else None
    water = grid.usable(np.broadcast_to(structure.water, grid.shape))
    section = Section(
        setting, grid.usable(np.where(muted, np.float32(0), image)), outline, columns, water
    )
    return section, Levels(signal, white)
