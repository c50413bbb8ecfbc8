"""A finished survey: crops as the pipeline sees them, and their ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from saltseg.config.model_definitions import CROP
from saltseg.crops.crop_set import CropSet, crop_table
from saltseg.plumbing.seeds import generator
from saltseg.survey.grid import Value
from saltseg.survey.quotas import Split
from saltseg.survey.sampling import collect
from saltseg.survey.tiles import Tile, tile_id


@dataclass(frozen=True)
class SurveySet:
    """Crops of a synthetic survey with their truths.

    crops: as any raw data. test_masks: bool, shape (test crops, 101, 101), in the order of
        `crops.test_images`.
    sidecar: one line a crop, in the order of `crops.table`: `id`, `split`, `survey`, `section`,
        `row` and `column` (upper left pixel in the section), `right_neighbour` and
        `lower_neighbour` (id of the crop of the same split that continues it, or ""),
        `label_noise` (whether the train mask is not what the interpreter drew).
    """

    crops: CropSet
    test_masks: npt.NDArray[np.bool_]
    sidecar: pd.DataFrame


def generate(
    train: int, test: int, seed: int = 2018, workers: int = 0, style: str = "default"
) -> SurveySet:
    """Make a survey of `train` and `test` crops, byte-identical for any number of `workers`.

    workers: processes; 0 makes it in this one.
    style: one of the names of saltseg.survey.ranges.RANGES.
    """
    train_split, test_split = collect(train, test, seed, workers, style)
    train_tiles = _by_id(train_split, seed)
    test_tiles = _by_id(test_split, seed)
    crops = CropSet(
        table=crop_table(_depths(train_tiles), _depths(test_tiles), _shuffled(test_tiles, seed)),
        train_images=_stacked([tile.image for tile in train_tiles.values()]),
        train_masks=_stacked([tile.noisy_mask for tile in train_tiles.values()]),
        test_images=_stacked([tile.image for tile in test_tiles.values()]),
    )
    test_masks = _stacked([tile.mask for tile in test_tiles.values()])
    sidecar = [_sidecar("test", test_tiles), _sidecar("train", train_tiles)]
    return SurveySet(crops, test_masks, pd.concat(sidecar, ignore_index=True))


def _by_id(split: Split, seed: int) -> dict[str, Tile]:
    return dict(sorted((tile_id(seed, tile), tile) for tile in split.tiles))


def _depths(tiles: dict[str, Tile]) -> pd.DataFrame:
    return pd.DataFrame({"id": list(tiles), "depth": [tile.depth for tile in tiles.values()]})


def _shuffled(tiles: dict[str, Tile], seed: int) -> list[str]:
    """Return the ids in the sample submission's order, which is random, like Kaggle's."""
    order = generator(seed, "survey", "sample order").permutation(len(tiles))
    names = list(tiles)
    return [names[index] for index in order]


def _stacked(arrays: Sequence[npt.NDArray[Value]]) -> npt.NDArray[Value]:
    return np.stack(arrays)


def _sidecar(split: str, tiles: dict[str, Tile]) -> pd.DataFrame:
    at = {(tile.section, tile.row, tile.column): name for name, tile in tiles.items()}
    lines = []
    for name, tile in tiles.items():
        noisy = split == "train" and not np.array_equal(tile.mask, tile.noisy_mask)
        right = at.get((tile.section, tile.row, tile.column + CROP), "")
        lower = at.get((tile.section, tile.row + CROP, tile.column), "")
        place = tile.survey, tile.section, tile.row, tile.column
        lines.append((name, split, *place, right, lower, noisy))
    return pd.DataFrame(lines, columns=SIDECAR_COLUMNS)


SIDECAR_COLUMNS = [
    "id",
    "split",
    "survey",
    "section",
    "row",
    "column",
    "right_neighbour",
    "lower_neighbour",
    "label_noise",
]
