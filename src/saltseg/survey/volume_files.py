"""A volume and its truth as files."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import array_file, write_json
from saltseg.plumbing.progress import progress
from saltseg.survey.grid import MARGIN, Grid
from saltseg.survey.segy import Lines, open_segy, require_segyio
from saltseg.survey.volumes import Block, Volume, draw_volume, make_blocks

FIRST_INLINE, FIRST_CROSSLINE = 1001, 2001
"""Numbers of the first inline and crossline of a volume."""

ORIGIN = 10_000.0, 20_000.0
AZIMUTH = 30.0
"""Coordinates of the first trace in feet, and azimuth of inlines in degrees from north (y)."""

BLOCK = 64
"""Inlines that a process makes at a time."""

CONTENTS = {"amplitude": "AMPLITUDE AS DISPLAYED", "salt": "TRUTH: 1 IN SALT, 0 ELSEWHERE"}
"""Description of the samples in the textual header of a SEG-Y file."""

VOLUME_NAMES = ("amplitude.npy", "salt.npy", "amplitude.sgy", "salt.sgy", "volume.json")
"""The files that write_volume makes."""

KINDS = {"amplitude": np.float32, "salt": np.bool_}


def parse_size(text: str) -> Grid:
    """Read a size such as 200x200x200: inlines, crosslines, samples.

    Raises InputError if it is not a size, or a side is too short for a single crop.
    """
    found = re.fullmatch(r"(\d+)x(\d+)x(\d+)", text.strip().lower())
    sides = tuple(int(side) for side in found.groups()) if found else ()
    if not sides or sides[0] < 1 or min(sides[1:]) < 2 * MARGIN + 1:
        raise InputError(
            f"--volume {text}: is not a size; write INLINESxCROSSLINESxSAMPLES, e.g. 200x200x200,"
            f" with at least 1 inline and {2 * MARGIN + 1} crosslines and samples"
        )
    return Grid(*sides)


def write_volume(
    folder: Path,
    seed: int,
    grid: Grid,
    segy: bool,
    workers: int,
    block: int = BLOCK,
    style: str = "default",
) -> None:
    """Write a volume of `seed` and its truth as .npy, and as SEG-Y if asked.

    amplitude.npy: float32, as displayed. salt.npy: bool. Both have shape (inlines, crosslines,
    samples); a sample is a foot of depth. amplitude.sgy and salt.sgy hold the same, salt as 0 and
    1. volume.json says where they lie. Memory holds one block of inlines. Neither `workers` nor
    `block` change a byte. Raises InputError where a file cannot be written, or segyio is missing.
    """
    if segy:
        require_segyio()
    volume = draw_volume(seed, grid, style)
    lines = volume_lines(volume)
    shape = (grid.inlines, grid.crosslines, grid.samples)
    with ExitStack() as stack:
        files: list[tuple[str, Any]] = []
        for name, kind in KINDS.items():
            path = folder / name
            array = array_file(path.with_suffix(".npy"), shape, kind)
            files.append((name, stack.enter_context(array)))
            if segy:
                title = f"SALTSEG SYNTHETIC VOLUME, SEED {seed}, {'X'.join(map(str, shape))}"
                sgy = open_segy(path.with_suffix(".sgy"), lines, title, CONTENTS[name])
                files.append((name, stack.enter_context(sgy)))
        for part in _inlines(make_blocks(volume, block, workers), grid.inlines):
            for name, file in files:
                file.write(getattr(part, name))
    write_json(folder / "volume.json", describe(volume, seed, style, lines))


def volume_lines(volume: Volume) -> Lines:
    """Return the geometry of a volume: square bins as wide as its exaggeration in feet."""
    grid, setting = volume.setting.grid, volume.setting
    spacing = round(setting.exaggeration, 2)
    turn = np.radians(AZIMUTH)
    along = spacing * np.arange(grid.crosslines)[None, :]
    across = spacing * np.arange(grid.inlines)[:, None]
    x = ORIGIN[0] + along * np.sin(turn) + across * np.cos(turn)
    y = ORIGIN[1] + along * np.cos(turn) - across * np.sin(turn)
    inlines = range(FIRST_INLINE, FIRST_INLINE + grid.inlines)
    crosslines = range(FIRST_CROSSLINE, FIRST_CROSSLINE + grid.crosslines)
    return Lines(inlines, crosslines, grid.samples, setting.top_depth, x, y, scalar=-100)


def describe(volume: Volume, seed: int, style: str, lines: Lines) -> dict[str, Any]:
    """Return the description of a volume, for volume.json."""
    setting = volume.setting
    return {
        "seed": seed,
        "style": style,
        "axes": ["inline", "crossline", "sample"],
        "shape": [len(lines.inlines), len(lines.crosslines), lines.samples],
        "first_inline": lines.inlines[0],
        "first_crossline": lines.crosslines[0],
        "first_sample_ft": setting.top_depth,
        "sample_interval_ft": 1.0,
        "bin_ft": round(setting.exaggeration, 2),
        "peak_frequency_cycles_per_sample": round(setting.peak_frequency, 6),
        "polarity": setting.style.polarity,
    }


def _inlines(blocks: Iterator[Block], inlines: int) -> Iterator[Block]:
    """Yield inlines one by one, for the progress bar."""
    parts = (
        Block(block.first + row, block.amplitude[row : row + 1], block.salt[row : row + 1])
        for block in blocks
        for row in range(len(block.salt))
    )
    return progress(parts, "inlines of the volume", inlines)
