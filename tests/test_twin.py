"""What the pipeline predicts, predicted again by another road, from the files of its stages.

The twin builds a network of each snapshot's file, as it was trained, and asks it about one crop at
a time in float32; views are moved by scipy, means are plain, masks are made pixel by pixel. Every
way to the pipeline's predictions has to agree with it, and with each other, call after call.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from scipy import ndimage

from saltseg.config.params import Params, load_params
from saltseg.crops.crop_set import CropSet
from saltseg.models import create_model
from saltseg.plumbing.files import read_json
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from saltseg.project.model_folder import find_model
from saltseg.serving.image_prediction import predict_files
from saltseg.serving.salt_model import SaltModel
from saltseg.serving.served_model import ServedModel, _load_pyfunc
from tests.conftest import shrunk_content
from tests.helpers.trained import run_untrained

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]

MEMBERS, FOLDS, SNAPSHOTS = ("class_unet", "other"), (0, 1), 3
SHARES = {"class_unet": 0.25, "other": 0.75}
DECAY, SCALE = 0.5, 1.1

ROUNDING = 5e-4
"""What float16, in which probabilities are kept, and another order of sums may change."""

CROPS = (0, 3, 7, 11)
"""Test crops that the twin predicts, and places in out_of_fold.npy: of both folds."""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, small_crops: CropSet) -> Layout:
    """Two members that read depth, two folds, three snapshots that weigh less with age, a view."""
    content = shrunk_content()
    member = content["models"]["class_unet"] | {"blocks": "residual"}
    member["input"] = member["input"] | {"channels": ["image", "depth"]}
    phases = content["train_per_fold"]["phases"]
    three = [phase | {"data": "train", "keep": "cycle_ends"} for phase in phases]
    return run_untrained(
        tmp_path_factory.mktemp("twin"),
        small_crops,
        runtime={"accelerator": "cpu", "precision": "float32"},
        models={"class_unet": member, "other": member | {"filters": 3}},
        pseudolabel={"enabled": False},
        train_per_fold={"members": [*MEMBERS], "phases": three},
        snapshot_ensemble={
            "snapshot_decay": DECAY,
            "scales": [SCALE],
            "member_weights": {"other": 3.0},
        },
    )


class Twin:
    """The slow road from models and crops to probabilities."""

    def __init__(self, layout: Layout, crops: CropSet) -> None:
        self.params: Params = load_params(layout.params)
        self.layout, self.crops = layout, crops

    def networks(self, fold: int) -> Iterator[tuple[float, torch.nn.Module]]:
        """Yield the networks without a fold, each with its share of the fold's mean."""
        ages = [DECAY**age for age in range(SNAPSHOTS)]
        for member in MEMBERS:
            for age, weight in enumerate(ages):
                name = f"snapshot_{SNAPSHOTS - 1 - age}.safetensors"
                network = create_model(self.params.models[member], 0, None)
                network.load_state_dict(load_file(self.layout.model(member, fold) / name))
                yield SHARES[member] * weight / sum(ages), network.eval()

    def without(self, fold: int, image: npt.NDArray[np.uint8], feet: float) -> Floats:
        """Return the mean over the networks without a fold, of one crop: float64 (h, w)."""
        means = [share * seen(each, image / 255, feet) for share, each in self.networks(fold)]
        return np.sum(means, axis=0)

    def test(self, row: int) -> Floats:
        image, feet = self.crops.test_images[row], self.crops.test["depth"][row]
        return np.mean([self.without(fold, image, feet) for fold in FOLDS], axis=0)

    def train(self, fold: int, row: int) -> Floats:
        image, feet = self.crops.train_images[row], self.crops.train["depth"][row]
        return self.without(fold, image, feet)


def seen(network: torch.nn.Module, image: Floats, feet: float) -> Floats:
    """Return the mean over a crop, its enlarged middle, and their mirror images."""
    centre = (np.array(image.shape) - 1) / 2

    def scaled(values: Floats, scale: float, beyond: str) -> Floats:
        offset = centre - centre * scale
        return ndimage.affine_transform(values, [scale, scale], offset, order=1, mode=beyond)

    closer = scaled(image, 1 / SCALE, "reflect")
    sides = [upright_and_mirrored(network, each, feet) for each in (image, closer)]
    total = sides[0] + scaled(sides[1], SCALE, "grid-constant")
    return total / (1 + scaled(np.ones_like(image), SCALE, "grid-constant"))


@torch.no_grad()
def upright_and_mirrored(network: torch.nn.Module, image: Floats, feet: float) -> Floats:
    pair = [image, image[:, ::-1]]
    logits = [
        network(torch.tensor(each[None].copy(), dtype=torch.float32), torch.tensor([float(feet)]))
        for each in pair
    ]
    upright, mirrored = (1 / (1 + np.exp(-each[0].double().numpy())) for each in logits)
    return (upright + mirrored[:, ::-1]) / 2


@pytest.fixture(scope="module")
def twin(pipeline: Layout, small_crops: CropSet) -> Callable[[int], Floats]:
    """What the twin says of a test crop."""
    return cache(Twin(pipeline, small_crops).test)


def stored(layout: Layout, stage: str, name: str) -> npt.NDArray[np.float16]:
    array: npt.NDArray[np.float16] = np.load(layout.data(stage) / name)
    return array


def test_test_probabilities(pipeline: Layout, twin: Callable[[int], Floats]) -> None:
    found = stored(pipeline, "snapshot-ensemble", "test.npy")
    for row in CROPS:
        np.testing.assert_allclose(found[row], twin(row), rtol=0, atol=ROUNDING)


def test_out_of_fold_probabilities(pipeline: Layout, small_crops: CropSet) -> None:
    twin, folder = Twin(pipeline, small_crops), pipeline.data("snapshot-ensemble")
    table = pd.read_parquet(folder / "out_of_fold.parquet")
    lines = table.iloc[[*CROPS]]
    assert set(lines["fold"]) == {*FOLDS}
    found = stored(pipeline, "snapshot-ensemble", "out_of_fold.npy")
    for place, fold, row in zip(CROPS, lines["fold"], lines["row"], strict=True):
        np.testing.assert_allclose(found[place], twin.train(fold, row), rtol=0, atol=ROUNDING)


def test_a_wrong_network_or_share_would_show(pipeline: Layout, small_crops: CropSet) -> None:
    """One network less, or the networks of the other fold, differ by more than rounding."""
    twin, image = Twin(pipeline, small_crops), small_crops.test_images[0] / 255
    feet = float(small_crops.test["depth"][0])
    without = [
        [(share, seen(network, image, feet)) for share, network in twin.networks(fold)]
        for fold in FOLDS
    ]
    mean, other = (np.sum([share * each for share, each in fold], axis=0) for fold in without)
    assert np.abs(mean - other).max() > 10 * ROUNDING
    for share, each in without[0]:
        rest = (mean - share * each) / (1 - share)
        assert np.abs(rest - mean).max() > 5 * ROUNDING


def chosen(layout: Layout) -> tuple[float, int, int]:
    sizes = read_json(layout.data("postprocess-connected-components") / "sizes.json")
    threshold = read_json(layout.data("threshold-search") / "thresholds.json")["threshold"]
    return threshold, sizes["salt_size"], sizes["hole_size"]


def cleaned(mask: Masks, salt_size: int, hole_size: int) -> Masks:
    """Fill small holes off the border, then drop small salt, one component at a time."""
    filled = mask.copy()
    holes, count = ndimage.label(~mask)
    for number in range(1, count + 1):
        hole = holes == number
        edge = hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any()
        if not edge and hole.sum() < hole_size:
            filled |= hole
    kept = filled.copy()
    bodies, count = ndimage.label(filled, np.ones((3, 3)))
    for number in range(1, count + 1):
        if (bodies == number).sum() < salt_size:
            kept &= bodies != number
    return kept


def test_masks_and_submission(pipeline: Layout, small_crops: CropSet) -> None:
    """From the stored probabilities on, every pixel is the twin's."""
    threshold, *sizes = chosen(pipeline)
    probabilities = stored(pipeline, "snapshot-ensemble", "test.npy")
    masks = [cleaned(crop.astype(float) > threshold, *sizes) for crop in probabilities]
    np.testing.assert_array_equal(
        stored(pipeline, "postprocess-connected-components", "test_masks.npy"), masks
    )
    lines = (pipeline.data("submit") / "submission.csv").read_text().splitlines()
    assert lines[0] == "id,rle_mask"
    for name, mask in zip(small_crops.test["id"], masks, strict=True):
        assert f"{name},{run_lengths(mask)}" in lines
    assert 0.05 < np.mean(masks) < 0.95


def run_lengths(mask: Masks) -> str:
    """Count pixels down the columns, from 1."""
    runs: list[list[int]] = []
    for number, salt in enumerate(mask.ravel(order="F"), 1):
        if salt and runs and sum(runs[-1]) == number:
            runs[-1][1] += 1
        elif salt:
            runs.append([number, 1])
    return " ".join(f"{start} {length}" for start, length in runs)


def test_from_models_to_masks(pipeline: Layout, twin: Callable[[int], Floats]) -> None:
    """Masks of the twin's own probabilities are the pipeline's, but for pixels at the threshold."""
    threshold, *sizes = chosen(pipeline)
    masks = stored(pipeline, "postprocess-connected-components", "test_masks.npy")
    for row in CROPS:
        apart = cleaned(twin(row) > threshold, *sizes) ^ masks[row]
        assert apart.mean() < 0.01


@pytest.fixture(scope="module")
def exported(pipeline: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_model(pipeline, folder)
    return folder


Ask = Callable[[int], tuple[npt.NDArray[np.float32], Masks]]
"""What a way to the model says of one test crop."""


def ask_model(folder: Path, crops: CropSet) -> Ask:
    model = SaltModel(find_model(folder))

    def ask(row: int) -> tuple[npt.NDArray[np.float32], Masks]:
        found = model.predict(
            crops.test_images[[row]], crops.test["depth"].to_numpy(np.float32)[[row]]
        )
        return found.probabilities[0], found.masks[0]

    return ask


def ask_served(folder: Path, crops: CropSet) -> Ask:
    model: ServedModel = _load_pyfunc(str(find_model(folder)))

    def ask(row: int) -> tuple[npt.NDArray[np.float32], Masks]:
        feet = float(crops.test["depth"][row])
        found = model.predict(crops.test_images[[row]], {"depth": [feet]})
        return found["probabilities"][0], found["masks"][0]

    return ask


@pytest.mark.parametrize("way", [ask_model, ask_served])
def test_every_request_is_answered_as_the_pipeline_predicts(
    way: Callable[[Path, CropSet], Ask], exported: Path, pipeline: Layout, small_crops: CropSet
) -> None:
    ask = way(exported, small_crops)
    known = stored(pipeline, "snapshot-ensemble", "test.npy")
    masks = stored(pipeline, "postprocess-connected-components", "test_masks.npy")
    first = {row: ask(row) for row in CROPS}
    for row in (CROPS[2], *CROPS, CROPS[0]):
        probabilities, mask = ask(row)
        np.testing.assert_array_equal(probabilities, first[row][0])
        np.testing.assert_allclose(probabilities, known[row], rtol=0, atol=ROUNDING)
        assert (mask ^ masks[row].astype(bool)).mean() < 0.01


def test_every_image_of_a_call_is_predicted_as_the_pipeline_does(
    exported: Path, pipeline: Layout, small_crops: CropSet, tmp_path: Path
) -> None:
    """The first and the third are the same; the depth is the first's."""
    names = {"first": 3, "second": 7, "third": 3}
    for name, row in names.items():
        Image.fromarray(small_crops.test_images[row]).save(tmp_path / f"{name}.png")
    paths = [tmp_path / f"{name}.png" for name in names]
    feet = float(small_crops.test["depth"][3])
    predict_files(paths, str(exported), tmp_path / "out", feet, tmp_path)
    first, second, third = (np.load(tmp_path / "out" / f"{name}_probability.npy") for name in names)
    np.testing.assert_array_equal(first, third)
    assert not np.array_equal(first, second)
    known = stored(pipeline, "snapshot-ensemble", "test.npy")[3]
    np.testing.assert_allclose(third, known, rtol=0, atol=ROUNDING)
    masks = stored(pipeline, "postprocess-connected-components", "test_masks.npy")[3]
    mask = np.asarray(Image.open(tmp_path / "out" / "third_mask.png")) > 0
    assert (mask ^ masks.astype(bool)).mean() < 0.01
