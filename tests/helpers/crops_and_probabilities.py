"""What the stages before leave for threshold-search and the later ones, on small crops."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from saltseg.crops.coverage import describe_crops
from saltseg.crops.crop_set import CropSet, crop_table, save_crops
from saltseg.plumbing.files import write_array, write_table
from saltseg.plumbing.layout import Layout

TRAIN, TEST = 60, 20


def write_inputs(root: Path, folds: list[int]) -> None:
    """Write crops and probabilities below `root`; crops of the folds that `folds` lacks are left.

    Probabilities are right beyond 0.35, and carry specks of 9 pixels that are wrong.
    """
    layout = Layout(root)
    repository = Layout(Path(__file__).parents[2])
    layout.params.write_text(repository.params.read_text())
    generator = np.random.default_rng(5)
    crops = _crops(generator)
    save_crops(layout.data("ingest"), crops)
    table = describe_crops(crops).assign(mosaic=lambda lines: lines["id"].str[:9])
    write_table(layout.data("coverage-stratify") / "crops.parquet", table)
    out_of_fold = crops.train[["id", "row"]].assign(fold=np.arange(TRAIN) % 3)
    out_of_fold = out_of_fold[out_of_fold["fold"].isin(folds)].reset_index(drop=True)
    folder = layout.data("snapshot-ensemble")
    write_table(folder / "out_of_fold.parquet", out_of_fold[["id", "fold", "row"]])
    truth = crops.train_masks[out_of_fold["row"].to_numpy()]
    write_array(folder / "out_of_fold.npy", _probabilities(truth, generator))
    write_array(folder / "test.npy", _probabilities(crops.train_masks[:TEST], generator))


def lock(root: Path, folds: list[int]) -> None:
    """Lock folds, of three, in the parameters below `root`."""
    path = Layout(root).params
    content = yaml.safe_load(path.read_text())
    content["fold_split"] |= {"n_folds": 3, "seed": 2018, "locked": folds}
    path.write_text(yaml.safe_dump(content))


def _crops(generator: np.random.Generator) -> CropSet:
    """Return crops with a layer of salt at the bottom, every fourth without."""
    top = generator.integers(40, 90, TRAIN)
    top[::4] = 101
    masks = np.broadcast_to(np.arange(101)[None, :, None] >= top[:, None, None], (TRAIN, 101, 101))
    names = [f"train{number:05d}" for number in range(TRAIN)]
    test_names = [f"test{number:06d}" for number in range(TEST)]
    train = pd.DataFrame({"id": names, "depth": generator.integers(50, 960, TRAIN)})
    test = pd.DataFrame({"id": test_names, "depth": generator.integers(50, 960, TEST)})
    images = generator.integers(0, 256, (TRAIN, 101, 101)).astype(np.uint8)
    return CropSet(crop_table(train, test, test_names), images, masks.copy(), images[:TEST])


def _probabilities(truth: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    salt = generator.uniform(0.4, 1, truth.shape)
    rest = generator.uniform(0, 0.3, truth.shape)
    probabilities = np.where(truth, salt, rest)
    probabilities[:, 5:8, 5:8] = 0.95
    return probabilities.astype(np.float16)
