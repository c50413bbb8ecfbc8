"""Named styles: the ranges from which acquisition, processing and salt are drawn."""

from dataclasses import dataclass

SECTION_BODIES = (0.31, 0.16, 0.29, 0.18, 0.06, 0.0)
"""How often each of salt.BODIES is drawn: stocks, sheets, massifs, walls, pillows, canopies."""

VOLUME_BODIES = (0.34, 0.06, 0.12, 0.22, 0.06, 0.20)
"""The same in a volume."""

Range = tuple[float, float]
"""Least and largest value."""


@dataclass(frozen=True)
class Ranges:
    """The ranges from which the styles of surveys are drawn."""

    sampling: Range = (1.0, 1.0)
    """Sampling density relative to the usual: 4 is four times finer; log-uniform."""
    exaggeration: Range = (1.7, 3.6)
    """Ratio of vertical to lateral scale; log-uniform."""
    frequency_spread: float = 0.36
    """Standard deviation of the logarithm of peak frequency."""
    phase_spread: float = 0.25
    """Standard deviation of the wavelet's residual phase in radians."""
    positive: float = 0.97
    """Share of surveys in which an increase in impedance is white."""
    noise: Range = (0.08, 0.45)
    """Noise-to-signal ratio in sediments."""
    salt_noise: Range = (0.46, 1.08)
    """Ratio of noise in salt to signal in sediments; log-uniform."""
    deep_noise: float = 1.3
    """Largest relative growth of noise with depth."""
    salt_contrast: Range = (0.27, 0.80)
    """Share of the contrast of clean salt that survives processing."""
    gained: float = 0.6
    """Share of surveys with automatic gain control."""
    clipped: float = 0.45
    clip: Range = (0.2, 1.3)
    """Share of sections that are clipped, and the range of the gain before clipping."""
    thickness: Range = (1.0, 1.0)
    """Thickness of sheets relative to the usual; log-uniform."""
    bodies: tuple[float, ...] = SECTION_BODIES
    """How often each of salt.BODIES is drawn in sections."""
    muted: float = 0.0
    """Share of surveys with a mute of the top, and of those with no signal in water."""


RANGES = {
    "default": Ranges(),
    "wide": Ranges(
        sampling=(0.25, 4.0),
        exaggeration=(0.8, 5.0),
        frequency_spread=0.5,
        phase_spread=0.7,
        positive=0.5,
        noise=(0.05, 0.8),
        salt_noise=(0.1, 1.1),
        deep_noise=3.0,
        salt_contrast=(0.2, 1.0),
        gained=0.5,
        clip=(0.2, 3.0),
        thickness=(0.25, 1.0),
        bodies=(0.30, 0.28, 0.16, 0.14, 0.06, 0.06),
        muted=0.3,
    ),
    "apart": Ranges(
        sampling=(0.25, 4.0),
        exaggeration=(5.0, 8.0),
        frequency_spread=0.5,
        phase_spread=2.0,
        positive=0.5,
        noise=(0.8, 1.2),
        salt_noise=(0.1, 1.1),
        deep_noise=4.0,
        salt_contrast=(0.2, 1.0),
        gained=0.5,
        clip=(3.0, 5.0),
        thickness=(0.15, 0.25),
        bodies=(0.20, 0.35, 0.05, 0.15, 0.05, 0.20),
        muted=0.3,
    ),
}
"""Styles by name: `default` is like the crops of the competition, `wide` like surveys at large.
`apart` is beyond `wide` in stretch, noise, clipping and the thickness of sheets: for tests of what
a model makes of surveys unlike all that it learned from; nothing trains on it."""
