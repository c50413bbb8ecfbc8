"""Geometry of a section: the layer coordinate, bent by salt and broken by faults, and water."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from saltseg.survey.fields import (
    Generator,
    enlarged,
    log_uniform,
    shrunk,
    smooth_curve,
    smooth_field,
    smoothed,
)
from saltseg.survey.grid import COLUMNS, SIDE, Field, Mask, smoothstep
from saltseg.survey.style import Setting

CENTRED: Field = COLUMNS - SIDE / 2
"""Column of each pixel from the middle of the grid."""

STEEPEST_FOLD = 1.6
"""Height of a fold over its width at the most; steeper ones would be chevrons of one column."""

UNCONFORMITY_JUMP = 900
"""Distance in the layer coordinate between the beds below an unconformity and those above."""


@dataclass(frozen=True)
class Structure:
    """Where things are; each array covers the grid or broadcasts to it.

    layers: a pixel's place in the sequence of beds, in pixels of undeformed thickness; one bed is
        one value, however it is bent.
    """

    salt: Mask
    subsalt: Mask
    water: Mask
    layers: Field


def build_structure(setting: Setting, salt: Mask) -> Structure:
    """Lay beds around salt: folds, drag at flanks, an unconformity, faults, chaotic bodies."""
    rng = setting.generator("structure")
    water = _water(rng, setting)
    salt = salt & ~water
    below = np.maximum.accumulate(salt, axis=0)
    subsalt = below & ~salt
    folds = _folds(rng, setting, log_uniform(rng, 0.25, 3.2))
    pull = _salt_pull(rng, setting, below, subsalt)
    layers: Field = setting.depth + folds + pull
    if rng.random() < 0.45:
        layers = _with_unconformity(rng, setting, layers, pull)
    layers = _faulted(rng, setting, layers, salt)
    if rng.random() < 0.45:
        layers = _with_mass_transport(rng, setting, layers)
    return Structure(salt, subsalt, water, layers.astype(np.float32))


def _water(rng: Generator, setting: Setting) -> Mask:
    """Return what lies above a gently sloping seabed; most shallow sections show one."""
    if setting.top_depth >= 220 or rng.random() > 0.8:
        return np.zeros((1, SIDE), np.bool_)
    seabed = 50 + rng.uniform(20, 150) + 14 * setting.scale * smooth_curve(rng, 130 * setting.scale)
    return setting.depth < seabed + rng.normal(0, 0.06) * CENTRED


def _folds(rng: Generator, setting: Setting, strength: float) -> Field:
    """Return the layers' shift by folds that grow with depth, a regional slope and undulations."""
    scale = setting.scale
    lateral = scale / setting.exaggeration**0.9
    kilometres = setting.depth / 1000
    shift = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(3, 9)):
        centre, width = rng.uniform(-100, SIDE + 100), rng.uniform(35, 190) * lateral
        height = rng.uniform(-1, 1) * min(34 * scale * strength, STEEPEST_FOLD * width)
        bump = height * np.exp(-0.5 * ((COLUMNS - centre) / width) ** 2)
        shift += bump.astype(np.float32) * (0.25 + kilometres * rng.uniform(0.3, 1.5))
    slope = rng.normal(0, 0.1) if rng.random() < 0.65 else rng.normal(0, 0.55)
    shift += (slope * CENTRED).astype(np.float32) * (0.6 + 0.6 * kilometres)
    wide = np.float32(log_uniform(rng, 1, 22) * scale)
    shift += wide * smooth_field(rng, 160 * scale, 110 * lateral)
    fine = np.float32(log_uniform(rng, 0.2, 4) * scale)
    shift += fine * smooth_field(rng, 30 * scale, 45 * lateral)
    return shift


def _salt_pull(rng: Generator, setting: Setting, below: Mask, subsalt: Mask) -> Field:
    """Return the layers' shift by salt: drag that turns beds up at flanks, doming or withdrawal.

    Drape and flank folds of halokinetic sequences, Giles and Rowan (2012), "Concepts in
    halokinetic-sequence deformation and stratigraphy". The distance is taken on a coarse grid.
    """
    if not below.any():
        return np.zeros((1, 1), np.float32)
    scale = setting.scale
    coarse = ndimage.distance_transform_edt(shrunk(below, 4) < 0.5).astype(np.float32)
    distance = enlarged(4 * coarse, 4)
    strong = rng.random() < 0.5
    height = np.float32((rng.uniform(60, 300) if strong else rng.uniform(0, 60)) * scale)
    reach = np.float32(rng.uniform(25, 130) * scale / setting.exaggeration**0.4)
    drag = np.where(subsalt, height, height * np.exp(-distance / reach) * ~below)
    doming = np.float32(rng.uniform(-120, 240) * scale) * smoothed(below, 45 * scale)
    return drag + doming


def _with_unconformity(rng: Generator, setting: Setting, layers: Field, pull: Field) -> Field:
    """Cut the beds along an undulating surface and lay others, folded otherwise, below it."""
    top = float(setting.depth[0, 0])
    surface = rng.uniform(top + 60, top + SIDE - 60) + 20 * setting.scale * smooth_curve(
        rng, 160 * setting.scale
    )
    surface = surface + rng.normal(0, 0.08) * CENTRED
    others = setting.depth * np.float32(rng.uniform(0.7, 1.2)) + UNCONFORMITY_JUMP
    others = others + _folds(rng, setting, rng.uniform(0.6, 2.2)) + pull
    others = others + (rng.normal(0, 0.18) * CENTRED).astype(np.float32)
    return np.where(setting.depth > surface, others, layers)


def _faulted(rng: Generator, setting: Setting, layers: Field, salt: Mask) -> Field:
    """Break the beds by faults anywhere, and by a fan of faults above a crest of salt."""
    top, bottom = float(setting.depth[0, 0]), float(setting.depth[-1, 0])
    if rng.random() < 0.75:
        for _ in range(rng.integers(1, 9)):
            place = rng.uniform(0, SIDE), rng.uniform(top, bottom)
            layers = layers - _fault_throw(rng, setting, *place)
    if salt.any() and rng.random() < 0.5:
        column = int(rng.choice(np.flatnonzero(salt.any(axis=0))))
        crest = float(setting.depth[salt[:, column].argmax(), 0])
        for _ in range(rng.integers(2, 6)):
            place = column + rng.normal(0, 60 * setting.scale), crest - rng.uniform(20, 120)
            layers = layers - _fault_throw(rng, setting, *place)
    return layers


def _fault_throw(rng: Generator, setting: Setting, column: float, depth: float) -> Field:
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
    distance = side * (COLUMNS - np.float32(column)) - plane
    height = np.float32(rng.uniform(70, 420) * scale)
    along = np.clip(1 - (from_middle / height) ** 2, 0, 1)
    throw = np.float32(log_uniform(rng, 2.5, 26) * scale) * along
    reach = np.float32(rng.uniform(25, 160) * scale)
    return np.where(distance > 0, throw * np.exp(-np.maximum(distance, 0) / reach), np.float32(0))


def _with_mass_transport(rng: Generator, setting: Setting, layers: Field) -> Field:
    """Churn the beds of some intervals; their chaos is easily taken for salt."""
    scale = setting.scale
    top, bottom = float(setting.depth[0, 0]), float(setting.depth[-1, 0])
    chaos = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(1, 4)):
        middle, thickness = rng.uniform(top, bottom), rng.uniform(15, 90) * scale
        extent = smoothstep((smooth_curve(rng, 120 * scale) + rng.uniform(-0.4, 0.8)) / 0.5)
        interval = np.exp(-(np.square(np.square((layers - middle) / np.float32(thickness)))))
        chaos = np.maximum(chaos, interval * extent)
    blocks = np.float32(rng.uniform(3, 14) * scale) * smooth_field(rng, 9 * scale, 14 * scale)
    debris = np.float32(rng.uniform(0, 3)) * smooth_field(rng, 3, 5)
    return layers + chaos * (blocks + debris)
