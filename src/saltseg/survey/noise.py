"""Noise after migration (ringing, swings, streaks, smears, ghosts) and areas of poor data."""

import numpy as np

from saltseg.survey.fields import log_uniform, smooth_field, smoothed, spectral_noise
from saltseg.survey.grid import Field, smoothstep
from saltseg.survey.imaging import band_pass
from saltseg.survey.streams import Stream
from saltseg.survey.structure import Structure
from saltseg.survey.style import Setting

KINDS = (1.4, 0.9, 0.5, 0.9)
"""Shares of low-dip noise, migration swings, vertical streaks and smeared noise in a section:
parameters of a Dirichlet distribution."""

POOR_SECTIONS = 0.55
"""Share of sections that have areas of poor data."""


def add_noise(
    setting: Setting, structure: Structure, image: Field, frequency: Field, signal: float
) -> Field:
    """Return the image with a ghost of the overburden under salt tops, and with noise.

    signal: standard deviation of the image in sediments, the reference for noise levels.
    """
    rng = setting.generator("noise")
    peak = float(frequency.mean(dtype=np.float64)) * rng.uniform(0.65, 1.15)
    lengths = _lengths(setting)
    noise = spectral_noise(rng, _sediment_spectrum(rng, setting, peak), lengths)
    level = _level(rng, setting, structure)
    poor = _poor_data(rng, structure)
    image = image * (1 - np.float32(rng.uniform(0.7, 1)) * poor)
    level = level + poor * (np.float32(rng.uniform(0.4, 1)) - level)
    if structure.has_salt:
        softened = smoothed(structure.salt, 3)
        in_salt = np.float32(setting.style.salt_noise * log_uniform(rng, 0.7, 1.4))
        level = level + softened * (in_salt - level)
        share = np.float32(rng.uniform(0.85, 1)) * softened
        interior = spectral_noise(rng, _salt_spectrum(rng, setting, peak), lengths)
        noise = noise * np.sqrt(1 - share * share) + interior * share
        if rng.random() < 0.55:
            image = image + _ghost(rng, structure, image)
    if rng.random() < 0.06:
        level = level * np.float32(rng.uniform(1.3, 2.2))
    level = np.where(structure.water, np.float32(0.12) * level, level)
    return image + np.float32(signal) * level * noise


def _sediment_spectrum(rng: Stream, setting: Setting, peak: float) -> Field:
    """Sum the powers of four kinds of noise; being independent, they share one transform.

    Migration smears random noise evenly over all true dips that it images; vertical exaggeration
    turns that into a steep grain.
    """
    grid = setting.grid
    wavenumber, dip = grid.dip_frame(setting.exaggeration)
    ring = band_pass(wavenumber / np.float32(peak), 1.0)
    low_dip = ring * np.exp(-0.5 * (dip / rng.uniform(16, 42)) ** 2)
    one_sided = 1 + rng.choice([-1, 1]) * rng.uniform(0.3, 1) * np.sign(grid.kz * grid.kx)
    swings = ring * np.exp(-(((dip - rng.uniform(35, 65)) / 13) ** 2)) * one_sided
    streak_kz = grid.kz / (peak * rng.uniform(0.15, 0.5))
    streak_kx = grid.kx / (peak * rng.uniform(1, 2.2) * setting.exaggeration)
    streaks = np.exp(-0.5 * (streak_kz**2 + streak_kx**2)) * (np.abs(grid.kz) > 0.004)
    smeared = ring * (1 - smoothstep((dip - np.float32(setting.style.dip_limit)) / 14))
    power = np.zeros_like(ring)
    kinds = (low_dip, swings, streaks, smeared)
    for weight, amplitude in zip(rng.dirichlet(KINDS), kinds, strict=True):
        power += np.float32(weight**2) * _unit_power(amplitude)
    return np.sqrt(power)


def _lengths(setting: Setting) -> Field:
    """Return the correlation length along inlines; migration smears noise in this direction too."""
    wavenumber, _dip = setting.grid.dip_frame(setting.exaggeration)
    lengths: Field = np.float32(0.9 / setting.exaggeration) / np.maximum(
        wavenumber, np.float32(0.01)
    )
    return lengths


def _unit_power(amplitude: Field) -> Field:
    power = np.square(amplitude, dtype=np.float32)
    scaled: Field = power / power.sum(dtype=np.float64).astype(np.float32)
    return scaled


def _salt_spectrum(rng: Stream, setting: Setting, peak: float) -> Field:
    """Return the noise spectrum inside salt: one steep direction, lower frequency."""
    grid = setting.grid
    wavenumber, dip = grid.dip_frame(setting.exaggeration)
    ring = band_pass(wavenumber / np.float32(peak * rng.uniform(0.17, 0.42)), 1.0)
    direction = np.exp(-(((dip - rng.uniform(0, 70)) / log_uniform(rng, 8, 30)) ** 2))
    one_sided = 1 + rng.uniform(-0.9, 0.9) * np.sign(grid.kz * grid.kx)
    return (ring * direction * one_sided).astype(np.float32)


def _level(rng: Stream, setting: Setting, structure: Structure) -> Field:
    """Return the noise-to-signal ratio: patchy, growing with depth, higher under salt."""
    level = setting.style.noise_level * log_uniform(rng, 0.7, 1.4)
    deep = np.clip((setting.depth - 350) / 600, 0, 1) ** 1.5
    patches = np.exp(np.float32(0.3) * smooth_field(rng, 90, 90))
    grown = (
        np.float32(level)
        * (1 + np.float32(rng.uniform(0, setting.style.deep_noise)) * deep)
        * patches
    )
    if not structure.has_subsalt:
        return grown
    return grown * (1 + np.float32(rng.uniform(0, 0.7)) * smoothed(structure.subsalt, 8))


def _poor_data(rng: Stream, structure: Structure) -> Field:
    """Return the loss of signal, 0 to 1, in areas of poor data.

    Not next to salt: interpreters label only the salt that they see, so salt hidden by poor data
    would be missing from a real label. Nor at the seabed, which is always visible.
    """
    if rng.random() > POOR_SECTIONS:
        return np.zeros((1, 1), np.float32)
    area = smoothstep((smooth_field(rng, 200, 200) - np.float32(rng.uniform(-0.3, 1.3))) / 0.6)
    near = smoothed(structure.salt | structure.water, 60)
    return area * np.clip(1 - 4 * near, 0, 1)


def signal_level(structure: Structure, image: Field) -> float:
    """Return the standard deviation in sediments, robust against a few strong reflectors."""
    sediments = image[~(structure.salt | structure.water)]
    deviation = float(sediments.std(dtype=np.float64)) if sediments.size else 0.0
    return min(deviation or np.inf, 3 * float(np.median(np.abs(image[::2, ::2]))) + 1e-9)


def _ghost(rng: Stream, structure: Structure, image: Field) -> Field:
    """Return a multiple: a weak, late, blurred repetition of the image in and below salt."""
    down, sideways = int(rng.uniform(40, 200)), int(rng.uniform(-20, 20))
    delayed = np.roll(image, (down, sideways), axis=(0, 1))
    delayed = (np.roll(delayed, 2, axis=1) + 2 * delayed + np.roll(delayed, -2, axis=1)) / 4
    strength = np.float32(rng.choice([-1, 1]) * rng.uniform(0.02, 0.2))
    below = smoothed(structure.salt | structure.subsalt, 4)
    return strength * below * delayed
