"""What the sections of one survey share, and what one section draws for itself."""

from dataclasses import dataclass

import numpy as np

from saltseg.seeds import generator
from saltseg.survey.fields import Generator, log_uniform
from saltseg.survey.grid import MARGIN, ROWS, Field

SECTIONS_PER_SURVEY = 12
"""Sections that share acquisition and processing."""

FIRST_DEPTH = 51
LAST_DEPTH = 959
"""Depths of the shallowest and the deepest crop of the real set, in feet."""

DEEPEST_TOP = 470
"""Largest depth of a section's top below FIRST_DEPTH, in feet."""


@dataclass(frozen=True)
class Style:
    """Acquisition and processing of one survey.

    Drawn once for a survey and not for each section: with a style of its own for each section the
    set was too varied to be learned from.
    """

    exaggeration: float
    """Vertical over lateral scale of the display."""
    peak_frequency: float
    """Peak of the wavelet's spectrum in cycles per pixel."""
    bandwidth_exponent: float
    """Steepness of the wavelet's spectrum; 2 is Ricker's, less is broader."""
    phase: float
    """Residual phase of the wavelet in radians."""
    dip_limit: float
    """Steepest reflector that migration images, in degrees."""
    aperture_exponent: float
    """How fast amplitude falls with the cosine of dip."""
    frequency_loss: float
    """Share of the peak frequency that is lost over 700 px of depth."""
    noise_weights: tuple[float, float, float]
    """Parts of low-dip noise, migration swings and vertical streaks."""
    noise_level: float
    """Noise over signal, both as standard deviations, in sediments."""
    salt_noise: float
    """Noise in salt over noise in sediments."""
    salt_contrast: float
    """Share of the impedance contrast of clean salt that the processing kept."""
    polarity: int
    """+1 or -1: what a rise in impedance looks like."""
    gain_power: float
    """Exponent of automatic gain control; 0 for surveys without it."""
    label_smoothing: float
    """Standard deviation of the interpreter's smoothing in pixels."""


@dataclass(frozen=True)
class Setting:
    """Where a section lies and how it was recorded."""

    seed: int
    section: int
    style: Style
    top_depth: int
    """Depth of the first usable row in feet; a row is a foot."""
    scale: float
    """Size of structures relative to the usual."""
    exaggeration: float
    """The survey's, slightly changed."""
    peak_frequency: float
    """The survey's, slightly changed, in cycles per pixel."""

    @property
    def survey(self) -> int:
        """Number of the survey that the section belongs to."""
        return self.section // SECTIONS_PER_SURVEY

    @property
    def depth(self) -> Field:
        """Depth of each row of the grid in feet, shape (SIDE, 1)."""
        return ROWS + np.float32(self.top_depth - MARGIN)

    @property
    def wavelength(self) -> float:
        """Wavelength at the peak frequency in pixels."""
        return 1 / self.peak_frequency

    def generator(self, part: str) -> Generator:
        """Return the generator of one part of this section: no other part's draws change it."""
        return generator(self.seed, "survey", "section", self.section, part)


def draw_style(seed: int, survey: int) -> Style:
    """Draw the style of a survey."""
    rng = generator(seed, "survey", "style", survey)
    low_dip, swings, streaks = rng.dirichlet([2.0, 1.0, 0.4])
    return Style(
        exaggeration=log_uniform(rng, 1.1, 4.0),
        peak_frequency=0.060 * float(np.exp(rng.normal(0, 0.38))),
        bandwidth_exponent=rng.uniform(1.0, 2.4),
        phase=rng.normal(0, 0.45),
        dip_limit=rng.uniform(52, 88),
        aperture_exponent=rng.uniform(0.1, 1.0),
        frequency_loss=rng.uniform(0.1, 0.5),
        noise_weights=(float(low_dip), float(swings), float(streaks)),
        noise_level=log_uniform(rng, 0.05, 0.55),
        salt_noise=log_uniform(rng, 0.3, 1.15),
        salt_contrast=log_uniform(rng, 0.2, 0.8),
        polarity=int(rng.choice([-1, 1])),
        gain_power=rng.uniform(0.3, 0.95) if rng.random() < 0.6 else 0.0,
        label_smoothing=rng.uniform(0.5, 2.2),
    )


def draw_setting(seed: int, section: int) -> Setting:
    """Draw the setting of a section, with the style of its survey."""
    style = draw_style(seed, section // SECTIONS_PER_SURVEY)
    rng = generator(seed, "survey", "section", section, "setting")
    scale = log_uniform(rng, 0.6, 1.9)
    frequency = style.peak_frequency * np.exp(rng.normal(0, 0.25)) / scale**0.3
    return Setting(
        seed=seed,
        section=section,
        style=style,
        top_depth=FIRST_DEPTH + int(rng.integers(0, DEEPEST_TOP + 1)),
        scale=scale,
        exaggeration=style.exaggeration * log_uniform(rng, 0.85, 1.18),
        peak_frequency=float(np.clip(frequency, 0.032, 0.22)),
    )
