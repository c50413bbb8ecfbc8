"""Salt bodies: implicit shapes in bent and roughened coordinates.

The kinds are those of Hudec and Jackson (2007), "Terra infirma: understanding salt tectonics",
fig. 2: stocks, walls and pillows that rose in place, sheets that spread, and massifs whose other
flank lies outside the section.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from saltseg.survey.fields import Generator, log_uniform, rough_field, smooth_curve, smooth_field
from saltseg.survey.grid import COLUMNS, SIDE, Field, Mask, smoothstep
from saltseg.survey.style import Setting

Body = Callable[[Generator, Field, Field, float, float], Mask]
"""Takes depth and column of each pixel after bending, the depth of the body's top and the scale
of structures; returns where the body is."""


SMALLEST_BODY = 1500
"""Pixels of the smallest piece of salt, and of the smallest hole in salt."""


def draw_salt(setting: Setting) -> Mask:
    """Return where a section holds salt, shape (SIDE, SIDE); a few sections hold none."""
    rng = setting.generator("salt")
    salt = np.zeros((SIDE, SIDE), np.bool_)
    if rng.random() < 0.03:
        return salt
    depth, column = _bent_coordinates(rng, setting)
    for _ in range(rng.choice([1, 2, 3], p=[0.44, 0.40, 0.16])):
        body = BODIES[rng.choice(len(BODIES), p=SHARES)]
        in_view = setting.top_depth + rng.uniform(-150, 490)
        top = max(in_view, rng.triangular(60, 180, 420))
        salt |= body(rng, depth, column, top, setting.scale)
    return _without_specks(ndimage.binary_opening(salt))


def _bent_coordinates(rng: Generator, setting: Setting) -> tuple[Field, Field]:
    """Return depth and column moved by large bends and by rugosity with a power-law spectrum."""
    scale, narrowing = setting.scale, setting.exaggeration
    bend, bend_length = rng.uniform(10, 38) * scale, rng.uniform(40, 120) * scale
    rough, rough_length = log_uniform(rng, 3.5, 12.0), log_uniform(rng, 7, 28)

    def shift() -> tuple[Field, Field]:
        wide = smooth_field(rng, bend_length, bend_length / narrowing**0.7)
        exponent = rng.uniform(2.0, 3.4)
        return wide, rough_field(rng, 3 * rough_length, rough_length / narrowing**0.5, exponent)

    wide, fine = shift()
    depth = setting.depth + np.float32(bend) * wide + np.float32(rough) * fine
    wide, fine = shift()
    sideways = np.float32(bend) * wide + np.float32(0.6 * rough) * fine
    return depth, COLUMNS + sideways / np.float32(narrowing**0.5)


def _without_specks(salt: Mask) -> Mask:
    """Drop pieces that only the rugosity cut off, and fill the holes that it made."""
    for _ in range(2):
        labels, _count = ndimage.label(salt)
        sizes = np.bincount(labels.ravel())
        sizes[0] = SMALLEST_BODY
        salt = ~(salt & (sizes >= SMALLEST_BODY)[labels])
    return salt


def _stock(rng: Generator, depth: Field, column: Field, top: float, scale: float) -> Mask:
    """Draw a diapir with a rounded cap, a neck below it and a leaning stem."""
    base = top + rng.uniform(120, 390) * scale
    half_width = rng.uniform(36, 140) * scale
    cap_height = rng.uniform(0.5, 1.6) * half_width
    below_top = depth - np.float32(top)
    cap = np.sqrt(1 - (1 - np.clip(below_top / cap_height, 0, 1)) ** 2)
    neck = smoothstep((below_top - cap_height * 0.6) / (0.9 * cap_height + 40))
    foot = smoothstep((depth - base + 140) / 160)
    stem = 1 - rng.uniform(0, 0.75) * neck + 0.8 * rng.uniform(0, 1) * foot
    half = half_width * cap * stem
    offset = column - rng.uniform(40, SIDE - 40) - rng.uniform(-0.5, 0.5) * below_top
    return (
        (below_top > 0)
        & (depth < base)
        & (offset < half * rng.uniform(0.6, 1.6))
        & (offset > -half)
    )


def _sheet(rng: Generator, depth: Field, column: Field, top: float, scale: float) -> Mask:
    """Draw salt that spread sideways: blunt ends, a rugged top, a base that steps, a feeder."""
    half_length = rng.uniform(80, 330) * scale
    thickness = rng.uniform(35, 150) * scale * np.exp(0.3 * smooth_curve(rng, 90 * scale))
    offset = column - rng.uniform(0, SIDE)
    bluntness = rng.uniform(2.5, 7)
    reach = np.clip(1 - np.abs(offset / half_length) ** bluntness, 0, 1) ** (1 / bluntness)
    rise = rng.uniform(-0.6, 0.6) * offset + 12 * scale * smooth_curve(rng, 70 * scale)
    middle = depth - np.float32(top) - rise - 0.4 * thickness
    sheet = (middle > -0.4 * thickness * reach) & (middle < 0.6 * thickness * reach)
    feeder_half = rng.uniform(12, 50) * scale
    feeder_offset = offset - rng.uniform(-0.6, 0.6) * half_length - rng.uniform(-0.4, 0.4) * middle
    feeder = (np.abs(feeder_offset) < feeder_half) & (middle > 0) & (reach > 0.3)
    return (sheet & (reach > 0)) | (feeder if rng.random() < 0.3 else False)


def _massif(rng: Generator, depth: Field, column: Field, top: float, scale: float) -> Mask:
    """Draw salt with one steep flank; the other lies outside the section."""
    side = rng.choice([-1, 1])
    below_top = depth - np.float32(top)
    offset = column - rng.uniform(40, SIDE - 40)
    from_flank = side * (offset - rng.uniform(-0.35, 0.35) * below_top)
    from_top = below_top - rng.uniform(-0.5, 0.5) * side * offset
    radius = rng.uniform(15, 120) * scale
    corner = (from_flank < radius) & (from_top < radius)
    corner &= (from_flank - radius) ** 2 + (from_top - radius) ** 2 > radius * radius
    inside = (from_flank > 0) & (from_top > 0) & (below_top < rng.uniform(150, 570))
    return inside & ~corner


def _wall(rng: Generator, depth: Field, column: Field, top: float, scale: float) -> Mask:
    """Draw a narrow, deep ridge that widens or thins downwards."""
    half_width = rng.uniform(14, 90) * scale
    below_top = depth - np.float32(top)
    offset = column - rng.uniform(40, SIDE - 40) - rng.uniform(-0.25, 0.25) * below_top
    widening = 1 + rng.uniform(-0.3, 0.9) * np.clip(below_top / 500, 0, 1)
    half = half_width * np.sqrt(np.clip(below_top / (1.2 * half_width), 0, 1)) * widening
    return (below_top > 0) & (below_top < rng.uniform(160, 550)) & (np.abs(offset) < half)


def _pillow(rng: Generator, depth: Field, column: Field, top: float, scale: float) -> Mask:
    """Draw a gentle dome over a flat base that thins out to a weld on both sides."""
    height, width = rng.uniform(60, 260) * scale, rng.uniform(80, 260) * scale
    swell = height * np.exp(-0.5 * ((column - rng.uniform(40, SIDE - 40)) / width) ** 2)
    base = top + height * rng.uniform(0.6, 1.2)
    return (depth > top + height - swell) & (depth < base)


BODIES: tuple[Body, ...] = (_stock, _sheet, _massif, _wall, _pillow)
SHARES = (0.31, 0.16, 0.29, 0.18, 0.06)
"""Kinds of salt bodies, and how often each is drawn."""
