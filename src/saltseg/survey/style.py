"""The style shared by the sections of a survey, and the setting drawn for each section."""

from dataclasses import dataclass, field, replace
from math import exp
from statistics import NormalDist

import numpy as np
from scipy.special import betaincinv

from saltseg.plumbing.seeds import generator
from saltseg.survey.fields import log_uniform
from saltseg.survey.grid import MARGIN, SECTION, USABLE, Field, Grid
from saltseg.survey.ranges import RANGES, SECTION_BODIES, VOLUME_BODIES
from saltseg.survey.streams import Key, Nodes, Stream

SECTIONS_PER_SURVEY = 8
"""Sections that share acquisition and processing."""

BLOCK = 8
SPREAD_PARTS = 12
"""Surveys over which styles are stratified, and the number of stratified parts."""

FIRST_DEPTH = 51
"""Depth of the shallowest crop of the real set, in feet."""

HIGHEST_FREQUENCY = 0.3
"""Highest peak frequency in cycles per pixel: coarser sampling would alias."""

LAST_DEPTH = 1060
"""Depth of the end of the deepest section, in feet."""


@dataclass(frozen=True)
class Style:
    """Acquisition and processing of one survey.

    Drawn once per survey: with a style of its own for each section, the set was too varied to
    learn from.
    """

    exaggeration: float
    """Vertical exaggeration: ratio of vertical to lateral scale."""
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
    """Share of the peak frequency lost over 700 px of depth."""
    noise_level: float
    """Noise-to-signal ratio in sediments, both as standard deviations."""
    salt_noise: float
    """Ratio of noise in salt to signal in sediments."""
    salt_contrast: float
    """Share of the impedance contrast of clean salt that survives processing."""
    polarity: int
    """+1 if an increase in impedance is white, as in nearly all of the real set, else -1."""
    gain_power: float
    """Exponent of automatic gain control; 0 for surveys without it."""
    label_smoothing: float
    """Standard deviation of the interpreter's smoothing in pixels."""
    label_lift: int
    """Pixels by which picks lie above the reflector: at the wavelet's onset, not its peak."""
    body_shares: tuple[float, ...] = SECTION_BODIES
    """How often each of salt.BODIES is drawn."""
    sampling: float = 1.0
    """Sampling density relative to the usual."""
    deep_noise: float = 1.3
    """Largest relative growth of noise with depth."""
    clipped: float = 0.45
    clip: tuple[float, float] = (0.2, 1.3)
    """Share of sections that are clipped, and the range of the gain before clipping."""
    thickness: float = 1.0
    """Thickness of sheets relative to the usual."""
    top_mute: bool = False
    water_mute: bool = False
    """Whether the top is muted, and whether water holds zeros."""


@dataclass(frozen=True)
class Setting:
    """The position and recording of an inline of a volume, or of a section."""

    seed: int
    section: int
    """Number of the section, or of the attempt at a volume."""
    style: Style
    top_depth: int
    """Depth of the first usable row in feet; a row is a foot."""
    scale: float
    """Size of structures relative to the usual."""
    exaggeration: float
    """The survey's, slightly changed."""
    peak_frequency: float
    """The survey's, slightly changed, in cycles per pixel."""
    detail: float = 1.0
    """Size of the roughness of salt relative to the usual."""
    grid: Grid = SECTION
    names: Key = ()
    """Name of the section's or volume's random streams."""
    inline: int = 0
    nodes: Nodes = field(default_factory=Nodes, compare=False)

    def at(self, inline: int) -> "Setting":
        """Return the setting of another inline."""
        return self if inline == self.inline else replace(self, inline=inline)

    @property
    def survey(self) -> int:
        """Number of the survey that the section belongs to."""
        return self.section // SECTIONS_PER_SURVEY

    @property
    def depth(self) -> Field:
        """Depth of each row of the grid in feet, shape (height, 1)."""
        return self.grid.rows + np.float32(self.top_depth - MARGIN)

    @property
    def wavelength(self) -> float:
        """Wavelength at the peak frequency in pixels."""
        return 1 / self.peak_frequency

    def generator(self, part: str) -> Stream:
        """Return the stream of one step of this inline, independent of other steps."""
        names = ("survey", *self.names, part)
        return Stream(self.seed, names, self.grid, self.inline, self.nodes)


def draw_style(seed: int, survey: int, style: str = "default") -> Style:
    """Draw the style of a survey; see style_levels for the stratification.

    style: one of the names of RANGES.
    """
    ranges = RANGES[style]
    sampling, thickness, mutes = _wider_levels(seed, survey)
    scale = _log_between(*ranges.sampling, sampling)
    level = style_levels(seed, survey)
    rng = generator(seed, "survey", "style", survey)
    return Style(
        exaggeration=_log_between(*ranges.exaggeration, level[0]),
        peak_frequency=0.070 * exp(_normal(ranges.frequency_spread, level[1])),
        bandwidth_exponent=_between(1.0, 2.4, level[2]),
        phase=_normal(ranges.phase_spread, level[3]),
        dip_limit=_between(52, 88, level[4]),
        aperture_exponent=_between(0.1, 1.0, level[5]),
        frequency_loss=_between(0.1, 0.5, level[6]),
        noise_level=_log_between(*ranges.noise, level[7]),
        salt_noise=_log_between(*ranges.salt_noise, level[8]),
        salt_contrast=_log_between(*ranges.salt_contrast, level[9]),
        polarity=1 if rng.random() < ranges.positive else -1,
        gain_power=_between(0.3, 0.95, rng.random()) if level[10] < ranges.gained else 0.0,
        label_smoothing=_between(0.4, 1.6, level[11]) * max(scale, 0.5),
        label_lift=round(int(rng.integers(0, 3)) * scale),
        body_shares=ranges.bodies,
        sampling=scale,
        deep_noise=ranges.deep_noise,
        clipped=ranges.clipped,
        clip=ranges.clip,
        thickness=_log_between(*ranges.thickness, thickness),
        top_mute=mutes[0] < ranges.muted,
        water_mute=mutes[1] < ranges.muted,
    )


def _wider_levels(seed: int, survey: int) -> tuple[float, float, tuple[float, float]]:
    """Return levels from 0 to 1 of sampling, thickness and mutes, which only some styles vary.

    Sampling is stratified over BLOCK surveys.
    """
    strata = generator(seed, "survey", "samplings", survey // BLOCK).permutation(BLOCK)
    rng = generator(seed, "survey", "wider", survey)
    sampling = (strata[survey % BLOCK] + rng.random()) / BLOCK
    return float(sampling), rng.random(), (rng.random(), rng.random())


def style_levels(seed: int, survey: int) -> list[float]:
    """Return a level from 0 to 1 for each stratified part of a survey's style.

    A Latin hypercube over BLOCK surveys (McKay, Beckman and Conover, 1979): of these, each has
    another eighth of each part's range, so that even a small set shows the whole of it.
    """
    rng = generator(seed, "survey", "styles", survey // BLOCK)
    strata = rng.permuted(np.tile(np.arange(BLOCK), (SPREAD_PARTS, 1)), axis=1)
    levels = (strata + rng.random((SPREAD_PARTS, BLOCK))) / BLOCK
    return [float(level) for level in levels[:, survey % BLOCK]]


def _between(low: float, high: float, level: float) -> float:
    return low + (high - low) * level


def _log_between(low: float, high: float, level: float) -> float:
    return low * (high / low) ** level


def _normal(deviation: float, level: float) -> float:
    return deviation * NormalDist().inv_cdf(min(max(level, 1e-6), 1 - 1e-6))


def _depth_level(seed: int, section: int) -> float:
    """Return the level of a section's depth: 0 to 1, with one in twelve at either end.

    Each of a survey's sections has another eighth of the distribution.
    """
    rng = generator(seed, "survey", "depths", section // SECTIONS_PER_SURVEY)
    levels = rng.permutation(SECTIONS_PER_SURVEY) + rng.random(SECTIONS_PER_SURVEY)
    level = levels[section % SECTIONS_PER_SURVEY] / SECTIONS_PER_SURVEY
    return float(np.clip(1.2 * betaincinv(1.1, 1.0, level) - 0.1, 0, 1))


def draw_setting(seed: int, section: int, style: str = "default") -> Setting:
    """Draw the setting of a section, with the style of its survey: one of those named `style`."""
    drawn = draw_style(seed, section // SECTIONS_PER_SURVEY, style)
    level = _depth_level(seed, section)
    return _setting(seed, section, drawn, level, SECTION, ("section", section))


def draw_volume_setting(seed: int, grid: Grid, attempt: int, style: str = "default") -> Setting:
    """Draw the setting of a volume: structures of a size that suits it, and bodies of all kinds."""
    drawn = replace(draw_style(seed, attempt, style), body_shares=VOLUME_BODIES)
    level = generator(seed, "survey", "volume", attempt, "depth").uniform(0, 0.5)
    setting = _setting(seed, attempt, drawn, level, grid, ("volume", attempt))
    size = min(1.0, (min(grid.inlines, grid.crosslines, grid.samples) / USABLE) ** 0.5)
    return replace(setting, scale=setting.scale * size, detail=setting.detail * size)


def _setting(
    seed: int, section: int, style: Style, depth_level: float, grid: Grid, names: Key
) -> Setting:
    rng = generator(seed, "survey", *names, "setting")
    scale = log_uniform(rng, 0.75, 2.1)
    frequency = style.peak_frequency * np.exp(rng.normal(0, 0.22)) / scale**0.3
    frequency = float(np.clip(frequency, 0.038, 0.22)) / style.sampling
    room = max(0, LAST_DEPTH - FIRST_DEPTH - grid.samples)
    return Setting(
        seed=seed,
        section=section,
        style=style,
        top_depth=FIRST_DEPTH + round(room * depth_level),
        scale=scale * style.sampling,
        exaggeration=style.exaggeration * log_uniform(rng, 0.85, 1.18),
        peak_frequency=min(frequency, HIGHEST_FREQUENCY),
        detail=style.sampling,
        grid=grid,
        names=names,
    )
