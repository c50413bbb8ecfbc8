"""Labelled crops of a separate survey, for pretraining."""

from pathlib import Path

import numpy as np

from saltseg.config.model_definitions import CROP
from saltseg.plumbing.files import write_array
from saltseg.plumbing.seeds import stream_seed
from saltseg.survey.sampling import collect


def write_pretraining(
    folder: Path, crops: int, seed: int, workers: int, style: str = "default"
) -> None:
    """Write `crops` crops as images.npy, masks.npy and depth.npy, whatever `workers` is.

    images: uint8 (n, 101, 101); masks: bool (n, 101, 101), without label noise, like test crops;
    depth: int64 (n,) in feet. They come from a different survey than that of `seed`, so the two
    share no section. style: see survey_set.generate. Raises InputError if a file cannot be written.
    """
    other = stream_seed(seed, "survey", "pretraining")
    tiles = collect(0, crops, other, workers, style)[1].tiles if crops else []
    shape = len(tiles), CROP, CROP
    images = np.array([tile.image for tile in tiles], np.uint8).reshape(shape)
    masks = np.array([tile.mask for tile in tiles], np.bool_).reshape(shape)
    write_array(folder / "images.npy", images)
    write_array(folder / "masks.npy", masks)
    write_array(folder / "depth.npy", np.array([tile.depth for tile in tiles], np.int64))
