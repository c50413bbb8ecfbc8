"""Geometry of an inline: the layer coordinate, bent by salt and broken by faults, and water."""

from dataclasses import dataclass

import numpy as np

from saltseg.survey.fields import log_uniform, smooth_curve, smooth_field
from saltseg.survey.grid import Field, Mask, smoothstep
from saltseg.survey.plan import Plan, draw_plan, tilted
from saltseg.survey.streams import Stream
from saltseg.survey.style import Setting
from saltseg.survey.surroundings import Crest, Surroundings
from saltseg.survey.water import draw_water

STEEPEST_FOLD = 1.6
"""Largest ratio of height to width of a fold; steeper ones would be chevrons of one column."""

UNCONFORMITY_JUMP = 900
"""Distance in the layer coordinate between the beds below an unconformity and those above."""


@dataclass(frozen=True)
class Structure:
    """The geometry of an inline; each array covers the grid or broadcasts to it.

    layers: a pixel's position in the sequence of beds, in pixels of undeformed thickness; it is
        constant along a bed, however deformed.
    has_salt, has_subsalt: whether the survey has any, on this inline or another.
    """

    salt: Mask
    subsalt: Mask
    water: Mask
    layers: Field
    has_salt: bool
    has_subsalt: bool


def build_structure(setting: Setting, salt: Mask, around: Surroundings) -> Structure:
    """Lay beds around salt: folds, drag at flanks, an unconformity, faults, chaotic bodies.

    salt: of this inline, as cleaned by saltseg.survey.surroundings.
    """
    rng = setting.generator("structure")
    water = draw_water(rng, setting)
    salt = salt & ~water
    below = np.maximum.accumulate(salt, axis=0)
    subsalt = below & ~salt
    folds = _folds(rng, setting, log_uniform(rng, 0.25, 3.2))
    pull = _salt_pull(rng, setting, around, below, subsalt)
    layers: Field = setting.depth + folds + pull
    if rng.random() < 0.45:
        layers = _with_unconformity(rng, setting, layers, pull)
    layers = _faulted(rng, setting, layers, around.crest)
    if rng.random() < 0.45:
        layers = _with_mass_transport(rng, setting, layers)
    has = (around.crest is not None, around.has_subsalt)
    return Structure(salt, subsalt, water, layers.astype(np.float32), *has)


def _folds(rng: Stream, setting: Setting, strength: float) -> Field:
    """Return the layers' shift by folds that grow with depth, a regional slope and undulations."""
    scale = setting.scale
    lateral = scale / setting.exaggeration**0.9
    kilometres = setting.depth / 1000
    shift = np.zeros(setting.grid.shape, np.float32)
    columns = setting.grid.columns
    for _ in range(round(rng.integers(3, 9) * setting.grid.patches)):
        centre = rng.uniform(-100, setting.grid.width + 100)
        width = rng.uniform(35, 190) * lateral
        height = rng.uniform(-1, 1) * min(34 * scale * strength, STEEPEST_FOLD * width)
        plan = draw_plan(rng, longest=5)
        offset, along = plan.turned(columns - centre)
        bump = height * np.exp(-0.5 * (offset / width) ** 2)
        bump = bump * np.exp(-0.5 * (along / (plan.elongation * width)) ** 2)
        shift += bump.astype(np.float32) * (0.25 + kilometres * rng.uniform(0.3, 1.5))
    slope = rng.normal(0, 0.1) if rng.random() < 0.65 else rng.normal(0, 0.55)
    shift += tilted(rng, slope, 0.1).astype(np.float32) * (0.6 + 0.6 * kilometres)
    wide = np.float32(log_uniform(rng, 1, 22) * scale)
    shift += wide * smooth_field(rng, 160 * scale, 110 * lateral)
    fine = np.float32(log_uniform(rng, 0.2, 4) * scale)
    shift += fine * smooth_field(rng, 30 * scale, 45 * lateral)
    return shift


def _salt_pull(
    rng: Stream, setting: Setting, around: Surroundings, below: Mask, subsalt: Mask
) -> Field:
    """Return the layers' shift by salt: drag that turns beds up at flanks, doming or withdrawal.

    Drape and flank folds of halokinetic sequences, Giles and Rowan (2012), "Concepts in
    halokinetic-sequence deformation and stratigraphy".
    """
    if around.crest is None:
        return np.zeros((1, 1), np.float32)
    scale = setting.scale
    distance = around.distance(setting.inline)
    strong = rng.random() < 0.5
    height = np.float32((rng.uniform(60, 300) if strong else rng.uniform(0, 60)) * scale)
    reach = np.float32(rng.uniform(25, 130) * scale / setting.exaggeration**0.4)
    drag = np.where(subsalt, height, height * np.exp(-distance / reach) * ~below)
    doming = np.float32(rng.uniform(-120, 240) * scale) * around.nearness(setting.inline)
    return drag + doming


def _with_unconformity(rng: Stream, setting: Setting, layers: Field, pull: Field) -> Field:
    """Cut the beds along an undulating surface, with differently folded ones below it."""
    top, height = float(setting.depth[0, 0]), setting.grid.height
    surface = rng.uniform(top + 60, top + height - 60) + 20 * setting.scale * smooth_curve(
        rng, 160 * setting.scale
    )
    surface = surface + tilted(rng, rng.normal(0, 0.08), 0.08)
    others = setting.depth * np.float32(rng.uniform(0.7, 1.2)) + UNCONFORMITY_JUMP
    others = others + _folds(rng, setting, rng.uniform(0.6, 2.2)) + pull
    others = others + tilted(rng, rng.normal(0, 0.18), 0.18).astype(np.float32)
    return np.where(setting.depth > surface, others, layers)


def _faulted(rng: Stream, setting: Setting, layers: Field, crest: Crest | None) -> Field:
    """Break the beds by random faults, and by a fan of faults above a salt crest."""
    top, bottom = float(setting.depth[0, 0]), float(setting.depth[-1, 0])
    if rng.random() < 0.75:
        for _ in range(round(rng.integers(1, 9) * setting.grid.patches)):
            place = rng.uniform(0, setting.grid.width), rng.uniform(top, bottom)
            layers = layers - _fault_throw(rng, setting, *place, draw_plan(rng, longest=4))
    if crest is not None and rng.random() < 0.5:
        column = int(rng.choice(crest.columns))
        plan = draw_plan(rng, longest=4)
        for _ in range(rng.integers(2, 6)):
            across = column + rng.normal(0, 60 * setting.scale)
            height = float(crest.depth(column)) - rng.uniform(20, 120)
            layers = layers - _fault_throw(rng, setting, across, height, crest.at(plan, rng))
    return layers


def _fault_throw(rng: Stream, setting: Setting, column: float, depth: float, plan: Plan) -> Field:
    """Return the downthrow of one normal fault's hanging wall.

    Throw falls from the fault's middle to its tips as in Barnett et al. (1987), "Displacement
    geometry in the volume containing a single normal fault"; the plane flattens downwards.
    """
    scale = setting.scale
    from_middle = setting.depth - np.float32(depth)
    cotangent = np.float32(1 / np.tan(np.radians(rng.uniform(45, 80))))
    flattening = np.float32(rng.uniform(0, 0.0012))
    side = np.float32(rng.choice([-1, 1]))
    plane = cotangent * from_middle + flattening * from_middle * np.abs(from_middle)
    offset, strike = plan.turned(setting.grid.columns - np.float32(column))
    distance = side * offset - plane
    height = np.float32(rng.uniform(70, 420) * scale)
    to_tip = strike / (plan.elongation * height)
    along = np.clip(1 - (from_middle / height) ** 2 - to_tip**2, 0, 1)
    throw = np.float32(log_uniform(rng, 2.5, 26) * scale) * along
    reach = np.float32(rng.uniform(25, 160) * scale)
    if not along.any():
        return np.zeros((1, 1), np.float32)
    return np.where(distance > 0, throw * np.exp(-np.maximum(distance, 0) / reach), np.float32(0))


def _with_mass_transport(rng: Stream, setting: Setting, layers: Field) -> Field:
    """Disrupt the beds of some intervals into chaotic facies, easily mistaken for salt."""
    scale = setting.scale
    top, bottom = float(setting.depth[0, 0]), float(setting.depth[-1, 0])
    chaos = np.zeros(setting.grid.shape, np.float32)
    for _ in range(rng.integers(1, 4)):
        middle, thickness = rng.uniform(top, bottom), rng.uniform(15, 90) * scale
        extent = smoothstep((smooth_curve(rng, 120 * scale) + rng.uniform(-0.4, 0.8)) / 0.5)
        interval = np.exp(-(np.square(np.square((layers - middle) / np.float32(thickness)))))
        chaos = np.maximum(chaos, interval * extent)
    blocks = np.float32(rng.uniform(3, 14) * scale) * smooth_field(rng, 9 * scale, 14 * scale)
    debris = np.float32(rng.uniform(0, 3)) * smooth_field(rng, 3, 5)
    return layers + chaos * (blocks + debris)
