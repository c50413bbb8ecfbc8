"""Draw the pictures of docs/survey.md.

python benchmarks/survey_figures.py [--folder docs/figures] [--seed 2018] [--section 111]
"""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from saltseg.reports.palette import TRUTH
from saltseg.survey import generate
from saltseg.survey.display import display
from saltseg.survey.grid import Field, Grid, Mask
from saltseg.survey.imaging import Migration, local_frequency
from saltseg.survey.noise import add_noise, signal_level
from saltseg.survey.sections import earths, make_section
from saltseg.survey.style import draw_setting
from saltseg.survey.surroundings import SaltPlanes
from saltseg.survey.volumes import draw_volume, make_blocks

Picture = npt.NDArray[np.uint8]

TRUE_SALT = np.array(TRUTH.colour[::-1])
"""In OpenCV's order: blue, green, red."""


def grey(field: Field, side: int) -> Picture:
    """Draw a field, clipped at its 99th percentile, as a square of `side` pixels."""
    limit = np.percentile(np.abs(field - np.median(field)), 99)
    level = np.clip((field - np.median(field)) / limit, -1, 1)
    pixels = np.round(127.5 + 127.5 * level).astype(np.uint8)
    small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    return np.repeat(small[:, :, None], 3, axis=2)


def outlined(picture: Picture, salt: Mask) -> Picture:
    """Fill salt in a picture, translucent, and draw its outline."""
    side = len(picture)
    small = cv2.resize(salt.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    salty = small > 0.5
    mixed = (1 - TRUTH.opacity) * picture[salty] + TRUTH.opacity * TRUE_SALT
    picture[salty] = np.rint(mixed)
    contours, _ = cv2.findContours(salty.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, TRUE_SALT.tolist(), 1)
    return picture


def save(path: Path, picture: npt.NDArray[Any]) -> None:
    """Write a PNG with maximum compression."""
    if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise SystemExit(f"{path}: cannot be written")


def steps(seed: int, number: int, side: int) -> dict[str, Picture]:
    """Draw each step of one section."""
    planes = SaltPlanes(draw_setting(seed, number))
    earth = next(earths(planes, range(1), None))
    setting, structure = earth.setting, earth.structure
    usable = setting.grid.usable
    salt = usable(structure.salt)
    frequency = local_frequency(setting, structure)
    migration = Migration(setting)
    image = migration.image([migration.spectrum(earth.impedance)], frequency)
    noisy = add_noise(setting, structure, image, frequency, signal_level(structure, image))
    section = make_section(seed, number)
    bands = np.sin(usable(structure.layers) / 6) * ~salt
    label = outlined(grey(section.amplitude, side), section.salt)
    return {
        "1-salt": grey(np.where(salt, np.float32(0.6), np.float32(0)) - 0.3, side),
        "2-layers": outlined(grey(bands, side), salt),
        "3-impedance": grey(usable(earth.impedance), side),
        "4-imaging": grey(usable(image), side),
        "5-noise": grey(usable(noisy), side),
        "6-display": grey(usable(display(setting, noisy)[0]), side),
        "7-label": label,
    }


def volume(seed: int, sides: tuple[int, int, int], scale: int) -> Picture:
    """Draw an inline, a crossline and a depth slice, each without and with its truth."""
    blocks = list(make_blocks(draw_volume(seed, Grid(*sides)), sides[0], 0))
    amplitude = np.concatenate([block.amplitude for block in blocks])
    salt = np.concatenate([block.salt for block in blocks])
    limit = np.percentile(np.abs(amplitude), 98)
    lines = []
    for axis in range(3):
        most = int(salt.sum(axis=tuple({0, 1, 2} - {axis})).argmax())
        plane, mask = np.take(amplitude, most, axis).T, np.take(salt, most, axis).T
        pixels = np.round(127.5 + 127.5 * np.clip(plane / limit, -1, 1)).astype(np.uint8)
        picture = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        picture = np.repeat(picture[:, :, None], 3, axis=2)
        wide = np.kron(mask, np.ones((scale, scale), np.bool_))
        filled = picture.copy()
        filled[wide] = np.round(0.6 * picture[wide] + 0.4 * np.array(TRUTH.colour)).astype(np.uint8)
        pair = [
            np.pad(part, ((1, 1), (1, 1), (0, 0)), constant_values=255)
            for part in (picture, filled)
        ]
        lines.append(np.vstack(pair))
    return np.hstack(lines)


def crops(seed: int, rows: int, columns: int) -> Picture:
    """Draw crops with their outlines, salt in nearly all of them."""
    survey = generate(3 * rows * columns, 1, seed, 0).crops
    coverage = survey.train_masks.mean(axis=(1, 2))
    chosen = np.flatnonzero((coverage > 0.02) & (coverage < 0.98))[: rows * columns]
    tiles = []
    for index in chosen:
        tile = np.repeat(survey.train_images[index][:, :, None], 3, axis=2).copy()
        tile = outlined(tile, survey.train_masks[index])
        tiles.append(np.pad(tile, ((1, 1), (1, 1), (0, 0)), constant_values=255))
    lines = [np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)]
    return np.vstack(lines)


def gallery(seed: int, rows: int, columns: int, side: int) -> Picture:
    """Draw every fifth section, to show several surveys, with outlines."""
    tiles = []
    for number in range(0, 5 * rows * columns, 5):
        section = make_section(seed, number)
        tile = outlined(grey(section.amplitude, side), section.salt)
        tiles.append(np.pad(tile, ((1, 1), (1, 1), (0, 0)), constant_values=255))
    lines = [np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)]
    return np.vstack(lines)


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("docs/figures"))
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--section", type=int, default=111)
    parser.add_argument("--volume-seed", type=int, default=5)
    options = parser.parse_args()
    for name, picture in steps(options.seed, options.section, 300).items():
        save(options.folder / f"survey-{name}.png", picture)
    save(options.folder / "survey-8-crops.png", crops(options.seed, 4, 8))
    save(options.folder / "survey-gallery.png", gallery(options.seed, 2, 4, 200))
    save(options.folder / "survey-volume.png", volume(options.volume_seed, (240, 240, 240), 1))


if __name__ == "__main__":
    main()
