"""Salt bodies: implicit shapes in bent and roughened coordinates.

The kinds are those of Hudec and Jackson (2007), "Terra infirma: understanding salt tectonics",
fig. 2: stocks, walls and pillows that rose in place, sheets that spread, canopies of sheets that
met, and massifs whose other flank lies outside the survey.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from saltseg.survey.fields import log_uniform, rough_field, smooth_curve, smooth_field
from saltseg.survey.grid import USABLE, Field, Mask, smoothstep
from saltseg.survey.plan import Plan, draw_plan
from saltseg.survey.streams import Stream
from saltseg.survey.style import Setting


@dataclass(frozen=True)
class Bent:
    """The depth, column and inline of each pixel before bending."""

    depth: Field
    column: Field
    across: Field | None
    """None in a section."""
    thickness: float
    """Thickness of sheets relative to the usual."""

    def plan(self, rng: Stream, longest: float = 3.0) -> Plan:
        """Draw the plan of a body in these coordinates."""
        return draw_plan(rng, self.across, longest)


Body = Callable[[Stream, Bent, float, float], Mask]
"""Takes the bent coordinates, the depth of the body's top and the scale of structures; returns
where the body is."""


def draw_salt(setting: Setting) -> Mask:
    """Return the salt of one inline, in the shape of the grid; a few sections have none.

    It still contains specks created by the rugosity: see saltseg.survey.surroundings.
    """
    rng = setting.generator("salt")
    salt = np.zeros(setting.grid.shape, np.bool_)
    if rng.random() < 0.03 and setting.grid.is_section:
        return salt
    bent = _bent_coordinates(rng, setting)
    for number in range(_count(rng, setting)):
        stream = rng.branch("body", number)
        body = BODIES[stream.choice(len(BODIES), p=setting.style.body_shares)]
        view = setting.grid.samples / USABLE
        in_view = setting.top_depth + stream.uniform(-150 * view, 490 * view)
        top = max(in_view, stream.triangular(60, 180, 420))
        salt |= body(stream, bent, top, setting.scale)
    return ndimage.binary_opening(salt)


def _count(rng: Stream, setting: Setting) -> int:
    """Return the number of bodies, by the area of the map and the size of structures."""
    count = rng.choice([1, 2, 3], p=[0.44, 0.40, 0.16])
    return round(count * setting.grid.patches * max(1.0, setting.style.sampling**-0.7))


def _bent_coordinates(rng: Stream, setting: Setting) -> Bent:
    """Return coordinates moved by large bends and by rugosity with a power-law spectrum."""
    scale, narrowing = setting.scale, setting.exaggeration
    bend, bend_length = rng.uniform(10, 38) * scale, rng.uniform(40, 120) * scale
    rough = log_uniform(rng, 3.5, 12.0) * setting.detail
    rough_length = log_uniform(rng, 7, 28) * setting.detail

    def shift() -> tuple[Field, Field]:
        wide = smooth_field(rng, bend_length, bend_length / narrowing**0.7)
        exponent = rng.uniform(2.0, 3.4)
        return wide, rough_field(rng, 3 * rough_length, rough_length / narrowing**0.5, exponent)

    def sideways() -> Field:
        wide, fine = shift()
        moved = np.float32(bend) * wide + np.float32(0.6 * rough) * fine
        return moved / np.float32(narrowing**0.5)

    wide, fine = shift()
    depth = setting.depth + np.float32(bend) * wide + np.float32(rough) * fine
    column = setting.grid.columns + sideways()
    across = None if setting.grid.is_section else np.float32(setting.inline) + sideways()
    return Bent(depth, column, across, setting.style.thickness)


def _round(away: Field, half: Field | float) -> Field:
    """Return the half width of an ellipse at distance `away`, relative to that at its centre."""
    return np.sqrt(np.clip(1 - (away / np.maximum(half, np.float32(1e-3))) ** 2, 0, 1))


def _stock(rng: Stream, bent: Bent, top: float, scale: float) -> Mask:
    """Draw a diapir with a rounded cap, a neck below it and a leaning stem."""
    base = top + rng.uniform(120, 390) * scale
    half_width = rng.uniform(36, 140) * scale
    cap_height = rng.uniform(0.5, 1.6) * half_width
    below_top = bent.depth - np.float32(top)
    cap = np.sqrt(1 - (1 - np.clip(below_top / cap_height, 0, 1)) ** 2)
    neck = smoothstep((below_top - cap_height * 0.6) / (0.9 * cap_height + 40))
    foot = smoothstep((bent.depth - base + 140) / 160)
    stem = 1 - rng.uniform(0, 0.75) * neck + 0.8 * rng.uniform(0, 1) * foot
    half = half_width * cap * stem
    offset = bent.column - rng.uniform(40, rng.grid.width - 40)
    plan = bent.plan(rng, 1.8)
    offset, along = plan.turned(offset, below_top)
    half = half * _round(along, plan.elongation * half)
    offset = offset - rng.uniform(-0.5, 0.5) * below_top
    return (
        (below_top > 0)
        & (bent.depth < base)
        & (offset < half * rng.uniform(0.6, 1.6))
        & (offset > -half)
    )


def _sheet(rng: Stream, bent: Bent, top: float, scale: float) -> Mask:
    """Draw salt that spread sideways, some with a feeder."""
    half_length = rng.uniform(80, 330) * scale
    return _spread(rng, bent, top, scale, half_length, 0.3)


def _canopy(rng: Stream, bent: Bent, top: float, scale: float) -> Mask:
    """Draw sheets that spread from feeders of their own until they met: salt with overhangs."""
    plan = bent.plan(rng, 1.6)
    column = rng.uniform(40, rng.grid.width - 40)
    salt = np.zeros(rng.grid.shape, np.bool_)
    for _ in range(rng.integers(2, 4)):
        half_length = rng.uniform(60, 150) * scale
        away, aside = (rng.uniform(-0.8, 0.8) * half_length for _ in range(2))
        moved = replace(plan, away=plan.away - away * (not rng.grid.is_section))
        place = column + aside, moved
        salt |= _spread(rng, bent, top + rng.normal(0, 12) * scale, scale, half_length, 1, place)
    return salt


def _spread(
    rng: Stream,
    bent: Bent,
    top: float,
    scale: float,
    half_length: float,
    feeders: float,
    place: tuple[float, Plan] | None = None,
) -> Mask:
    """Draw a sheet: blunt ends, a rugged top, a base that steps, and often a feeder.

    feeders: how often. place: column and plan of its centre, anywhere by default.
    """
    thickness = rng.uniform(35, 150) * scale * np.exp(0.3 * smooth_curve(rng, 90 * scale))
    thickness = thickness * np.float32(bent.thickness)
    column, plan = place or (rng.uniform(0, rng.grid.width), bent.plan(rng, 2))
    offset, along = plan.turned(bent.column - column)
    bluntness = rng.uniform(2.5, 7)
    ends = np.abs(offset / half_length) ** bluntness
    sides = np.abs(along / (plan.elongation * half_length)) ** bluntness
    reach = np.clip(1 - ends - sides, 0, 1) ** (1 / bluntness)
    rise = rng.uniform(-0.6, 0.6) * offset + 12 * scale * smooth_curve(rng, 70 * scale)
    middle = bent.depth - np.float32(top) - rise - plan.lean * along - 0.4 * thickness
    sheet = (middle > -0.4 * thickness * reach) & (middle < 0.6 * thickness * reach)
    feeder_half = rng.uniform(12, 50) * scale
    feeder_offset = offset - rng.uniform(-0.6, 0.6) * half_length - rng.uniform(-0.4, 0.4) * middle
    feeder_width = feeder_half * _round(along, 2 * plan.elongation * feeder_half)
    feeder = (np.abs(feeder_offset) < feeder_width) & (middle > 0) & (reach > 0.3)
    return (sheet & (reach > 0)) | (feeder if rng.random() < feeders else False)


def _massif(rng: Stream, bent: Bent, top: float, scale: float) -> Mask:
    """Draw salt with one steep flank; the other lies outside the survey."""
    side = rng.choice([-1, 1])
    below_top = bent.depth - np.float32(top)
    offset, _along = bent.plan(rng).turned(bent.column - rng.uniform(40, rng.grid.width - 40))
    from_flank = side * (offset - rng.uniform(-0.35, 0.35) * below_top)
    from_top = below_top - rng.uniform(-0.5, 0.5) * side * offset
    radius = rng.uniform(15, 120) * scale
    corner = (from_flank < radius) & (from_top < radius)
    corner &= (from_flank - radius) ** 2 + (from_top - radius) ** 2 > radius * radius
    inside = (from_flank > 0) & (from_top > 0) & (below_top < rng.uniform(150, 570))
    return inside & ~corner


def _wall(rng: Stream, bent: Bent, top: float, scale: float) -> Mask:
    """Draw a narrow, deep ridge that widens or thins downwards, and dives at its ends."""
    half_width = rng.uniform(14, 90) * scale
    plan = bent.plan(rng)
    offset, along = plan.turned(bent.column - rng.uniform(40, rng.grid.width - 40))
    to_end = along / (half_width * (2 + 3 * plan.elongation))
    below_top = bent.depth - np.float32(top) - 60 * scale * to_end**2
    offset = offset - rng.uniform(-0.25, 0.25) * below_top
    widening = 1 + rng.uniform(-0.3, 0.9) * np.clip(below_top / 500, 0, 1)
    half = half_width * np.sqrt(np.clip(below_top / (1.2 * half_width), 0, 1)) * widening
    half = half * _round(to_end**2, 1)
    return (below_top > 0) & (below_top < rng.uniform(160, 550)) & (np.abs(offset) < half)


def _pillow(rng: Stream, bent: Bent, top: float, scale: float) -> Mask:
    """Draw a gentle dome over a flat base that thins out to a weld on all sides."""
    height, width = rng.uniform(60, 260) * scale, rng.uniform(80, 260) * scale
    column = rng.uniform(40, rng.grid.width - 40)
    plan = bent.plan(rng)
    offset, along = plan.turned(bent.column - column)
    swell = height * np.exp(-0.5 * (offset / width) ** 2)
    swell = swell * np.exp(-0.5 * (along / (plan.elongation * width)) ** 2)
    base = top + height * rng.uniform(0.6, 1.2)
    return (bent.depth > top + height - swell) & (bent.depth < base)


BODIES: tuple[Body, ...] = (_stock, _sheet, _massif, _wall, _pillow, _canopy)
"""Kinds of salt bodies, in the order of Style.body_shares."""
