"""The logarithm of acoustic impedance: beds of sediment, clean salt, water."""

import numpy as np

from saltseg.survey.fields import log_uniform, smooth_curve, smooth_field, smoothed
from saltseg.survey.grid import Field, Grid, Mask
from saltseg.survey.plan import draw_plan
from saltseg.survey.streams import Stream
from saltseg.survey.structure import Structure
from saltseg.survey.style import Setting

SALT_IMPEDANCE = 4.5 * 2.17
"""Velocity (km/s) times density (g/cc) of halite, Jones and Davison (2014), "Seismic imaging in
and around salt bodies": nearly the same at every depth."""

SHALLOW_IMPEDANCE, IMPEDANCE_GAIN = 3.1, 5.6
"""Impedance of sediments at the seabed, and its increase by compaction over 1000 feet."""

LOG_STEP = 0.25
LOG_LENGTH = 12_000
LOG_START = 400.0
"""Sampling of the bed sequence in pixels, its samples, and the pixels that it starts above zero."""


def log_impedance(setting: Setting, structure: Structure) -> Field:
    """Return ln(impedance) minus the background trend, in the shape of the grid.

    Only changes reflect, so the smooth trend of sediments is left out, and salt is represented by
    its contrast to the trend.
    """
    rng = setting.generator("sediments")
    beds = _beds(rng, setting, structure.layers) * _amplitude(rng, setting, structure.layers)
    beds *= np.float32(log_uniform(rng, 0.04, 0.1))
    if structure.has_salt:
        shadow = 1 - np.float32(1 - log_uniform(rng, 0.12, 0.8)) * structure.subsalt
        beds *= smoothed(shadow, 6)
        beds = np.where(structure.salt, _salt_contrast(rng, setting, structure.salt), beds)
    return np.where(structure.water, np.float32(-rng.uniform(0.15, 0.5)), beds)


def _beds(rng: Stream, setting: Setting, layers: Field) -> Field:
    """Mix a blocky log of beds with a random field in (layer, column) coordinates.

    The mixture keeps layers conformable, but neither endless nor perfectly straight.
    """
    wavelength, scale = setting.wavelength, setting.scale
    log = _blocky_log(rng, wavelength)
    place = np.clip((layers + LOG_START) / LOG_STEP, 0, LOG_LENGTH - 2)
    lower = place.astype(np.intp)
    beds = log[lower] + (log[lower + 1] - log[lower]) * (place - lower).astype(np.float32)
    length_x = log_uniform(rng, 0.4, 3.5) * wavelength / setting.exaggeration
    local = smooth_field(rng, wavelength * rng.uniform(0.12, 0.3), length_x)
    wobble = np.float32(rng.uniform(0, 0.25) * wavelength)
    moved = layers + wobble * smooth_field(rng, 25 * scale, 25 * scale)
    share: Field = np.float32(rng.uniform(0.05, 1.8)) * np.exp(
        np.float32(0.5) * smooth_field(rng, 60 * scale, 150 * scale)
    )
    mixed: Field = (beds + share * _along_layers(setting.grid, local, moved)) / np.sqrt(
        1 + share**2
    )
    return mixed


def _blocky_log(rng: Stream, wavelength: float) -> Field:
    """Return a sequence of constant beds, in packages of similar thickness and contrast."""
    log = np.empty(0, np.float32)
    mean_bed = wavelength * log_uniform(rng, 0.10, 0.55)
    mean_package = rng.uniform(2.5, 14) * wavelength
    while len(log) < LOG_LENGTH:
        length = rng.exponential(mean_package) + wavelength
        thickness = mean_bed * np.exp(rng.normal(0, 0.35))
        log = np.concatenate([log, _package(rng, length, thickness)])
    log = log[:LOG_LENGTH]
    scaled: Field = log / log.std()
    return scaled


def _package(rng: Stream, length: float, thickness: float) -> Field:
    """Return a package's samples: exponential thicknesses and autocorrelated values."""
    count = int(length / thickness * 1.5) + 8
    memory = rng.uniform(-0.3, 0.6) ** np.arange(6)
    values = np.convolve(rng.standard_normal(count + 5), memory, mode="valid")
    values *= np.where(rng.random(count) < 0.05, 3.2, 1.0) * np.exp(rng.normal(0, 0.75))
    samples = np.maximum(rng.exponential(thickness, count), 2 * LOG_STEP) / LOG_STEP
    return np.repeat(values, samples.astype(np.intp))[: int(length / LOG_STEP)].astype(np.float32)


def _along_layers(grid: Grid, field: Field, layers: Field) -> Field:
    """Sample a periodic field at (layer coordinate, column), linearly between its rows."""
    height = grid.height
    place = np.mod(layers, np.float32(height))
    lower = np.minimum(place.astype(np.intp), height - 1)
    column = grid.columns.astype(np.intp)
    above, below = field[lower, column], field[(lower + 1) % height, column]
    return above + (below - above) * (place - lower).astype(np.float32)


def _amplitude(rng: Stream, setting: Setting, layers: Field) -> Field:
    """Return the strength of beds, which varies and vanishes in transparent intervals and gas."""
    scale, narrowing = setting.scale, setting.exaggeration
    wide = np.float32(0.35) * smooth_field(rng, 60 * scale, 120 * scale / narrowing)
    strength = np.exp(wide + np.float32(0.3) * smooth_field(rng, 10, 25 / narrowing))
    top, bottom = float(setting.depth[0, 0]), float(setting.depth[-1, 0])
    if rng.random() < 0.45:
        for _ in range(rng.integers(1, 4)):
            place = (layers - np.float32(rng.uniform(top, bottom))) / rng.uniform(20, 110) / scale
            interval = np.exp(-np.square(np.square(place)))
            strength *= 1 - np.float32(rng.uniform(0.6, 0.97)) * interval
    if rng.random() < 0.25:
        strength *= 1 - np.float32(rng.uniform(0.5, 0.95)) * _gas_chimney(rng, setting)
    return strength


def _gas_chimney(rng: Stream, setting: Setting) -> Field:
    """Return a column of gas that dims everything in it below some depth."""
    wander = 12 * smooth_curve(rng, 60, setting.grid.height)[:, None]
    column = rng.uniform(0, setting.grid.width)
    width = rng.uniform(20, 90) * setting.scale
    offset, along = draw_plan(rng).turned(setting.grid.columns + wander - column)
    offset = np.hypot(offset, along) / width
    top, bottom = float(setting.depth[0, 0]), float(setting.depth[-1, 0])
    chimney = np.exp(-np.square(np.square(offset))) * (
        setting.depth > rng.uniform(top, bottom - 100)
    )
    return chimney.astype(np.float32)


def _salt_contrast(rng: Stream, setting: Setting, salt: Mask) -> Field:
    """Return salt's contrast to sediments, unevenly illuminated and weaker at its base.

    The illumination is log-normal and never clipped: a clipped field would draw contours.
    """
    kilofeet = np.clip(setting.depth / 1000, 0, 1) ** rng.uniform(0.6, 1.2)
    background = np.log(SHALLOW_IMPEDANCE + IMPEDANCE_GAIN * kilofeet)
    kept = setting.style.salt_contrast * log_uniform(rng, 0.7, 1.4)
    illumination = np.exp(np.float32(rng.uniform(0.2, 0.9)) * smooth_field(rng, 120, 120))
    passed = np.cumsum(salt, axis=0, dtype=np.float32)
    weakening = 1 - np.float32(rng.uniform(0.3, 0.8)) * passed / (passed + np.float32(50))
    contrast = (np.log(SALT_IMPEDANCE) - background) * kept * illumination * weakening
    return contrast.astype(np.float32)
