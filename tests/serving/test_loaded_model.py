"""`saltseg.load(model).predict(array)`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import saltseg
from saltseg.crops.crop_set import CropSet, load_array
from saltseg.plumbing.layout import Layout
from saltseg.project.lineage import code_digest
from saltseg.serving.loaded_model import Model


@pytest.fixture(scope="module")
def model(exported: Path) -> Model:
    return saltseg.load(exported)


def test_it_predicts_the_test_crops_as_the_pipeline_did(
    model: Model, trained: Layout, small_crops: CropSet
) -> None:
    found = model.predict(small_crops.test_images)
    known = load_array(trained.data("postprocess-connected-components") / "test_masks.npy")
    np.testing.assert_array_equal(found.masks, known)
    assert (found.probabilities.dtype, found.masks.dtype) == (np.float32, bool)
    alone = model.predict(small_crops.test_images[4])
    np.testing.assert_array_equal(alone.masks, known[4])
    assert alone.probabilities.shape == (101, 101)


def test_images_of_other_sizes_and_numbers(model: Model, small_crops: CropSet) -> None:
    wide = np.concatenate(list(small_crops.test_images[:2]), axis=1) / 255
    both = model.predict(np.stack([wide, wide[::-1]]), depth=[100, 200])
    assert both.masks.shape == (2, 101, 202)
    np.testing.assert_array_equal(both.masks[0], model.predict(wide, depth=300).masks)


@pytest.mark.parametrize(
    ("images", "depth", "said"),
    [
        (np.zeros((5, 5), bool), None, "images: hold bool; give real numbers"),
        (np.zeros((5, 5), complex), None, "images: hold complex128"),
        (np.zeros(5), None, r"images: have shape \(5,\)"),
        (np.zeros((0, 5, 5)), None, r"images: have shape \(0, 5, 5\)"),
        (np.full((5, 5), np.nan), None, "not finite"),
        (np.zeros((2, 5, 5)), [1.0, 2.0, 3.0], "depth: 3 values for 2 images"),
        (np.zeros((5, 5)), -1, "is not a depth"),
        (np.zeros((5, 5)), "deep", "is not a depth"),
    ],
)
def test_what_is_no_image_is_told(model: Model, images: object, depth: object, said: str) -> None:
    with pytest.raises(saltseg.InputError, match=said) as caught:
        model.predict(images, depth)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.long
@pytest.mark.slow
def test_a_model_of_other_code_predicts_with_its_own(
    exported: Path, tmp_path: Path, model: Model, small_crops: CropSet
) -> None:
    shutil.copytree(exported, tmp_path / "old")
    code = tmp_path / "old/code/saltseg"
    metric = code / "scoring/metric.py"
    # A code of old, for which everything below the threshold was salt.
    assert "offsets <= _INFINITY" in metric.read_text()
    metric.write_text(metric.read_text().replace("offsets <= _INFINITY", "offsets > _INFINITY"))
    settings = tmp_path / "old/model/model.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"code": code_digest(code)}))
    old, images = saltseg.load(tmp_path / "old"), small_crops.test_images[:2]
    found, known = old.predict(images), model.predict(images)
    np.testing.assert_allclose(found.probabilities, known.probabilities, atol=1e-6)
    assert (found.masks != known.masks).mean() > 0.5
    settings.unlink()
    with pytest.raises(saltseg.InputError, match=r"holds no model\.json") as caught:
        old.predict(images[0])
    assert "\n" not in str(caught.value)
