import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from saltseg.config.params import load_params
from saltseg.crops.crop_set import CropSet, depth, load_array
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.project.model_export import export_model
from saltseg.project.model_folder import find_model, own_code
from saltseg.serving.salt_model import SaltModel
from saltseg.serving.served_model import _load_pyfunc
from tests.helpers.trained import write_snapshots


@pytest.fixture(scope="module")
def model(exported: Path) -> SaltModel:
    return SaltModel(find_model(exported))


def test_it_predicts_the_test_crops_as_the_pipeline_did(
    model: SaltModel, trained: Layout, small_crops: CropSet
) -> None:
    found = model.predict(small_crops.test_images, depth(small_crops.test))
    known = load_array(trained.data("snapshot-ensemble") / "test.npy")
    masks = load_array(trained.data("postprocess-connected-components") / "test_masks.npy")
    assert found.probabilities.dtype == np.float32
    np.testing.assert_array_equal(found.probabilities.astype(np.float16), known)
    np.testing.assert_array_equal(found.masks, masks)
    assert 0.05 < masks.mean() < 0.95


def test_a_crop_alone_is_taken_as_it_is(model: SaltModel, small_crops: CropSet) -> None:
    crop = small_crops.test_images[1] // 2  # tiles of larger images would be scaled
    alone = model.predict_image(crop)
    among = model.predict(crop[None])
    np.testing.assert_array_equal(alone.probabilities, among.probabilities[0])
    np.testing.assert_array_equal(alone.masks, among.masks[0])


def test_a_wide_image_has_one_mask_cleaned_as_a_whole(
    model: SaltModel, small_crops: CropSet
) -> None:
    wide = np.concatenate(list(small_crops.test_images[:3]), axis=1)
    found = model.predict_image(wide.astype(np.float64))
    assert found.probabilities.shape == found.masks.shape == (101, 303)
    assert found.masks.dtype == bool
    np.testing.assert_array_equal(found.masks, model.predict_image(wide).masks)


def test_a_model_that_reads_depth_asks_for_it(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    layout = Layout(folder)
    folder.mkdir()
    content = yaml.safe_load((exported / "model" / "params.yaml").read_text())
    content["models"]["class_unet"]["input"]["channels"] = ["image", "depth"]
    layout.params.write_text(yaml.safe_dump(content))
    write_snapshots(layout, load_params(layout.params))
    (folder / "model.json").write_bytes((exported / "model" / "model.json").read_bytes())
    model = SaltModel(folder)
    crops = np.random.default_rng(0).integers(0, 256, (2, 101, 101)).astype(np.uint8)
    with pytest.raises(InputError, match="depth"):
        model.predict(crops)
    shallow, deep = (model.predict_image(crops[0], feet).probabilities for feet in (50, 900))
    assert np.abs(shallow - deep).max() > 1e-3
    both = model.predict(crops[[0, 0]], np.array([50, 900], np.float32))
    np.testing.assert_allclose(both.probabilities, [shallow, deep], atol=1e-5)


def test_the_export_is_whole_and_costs_no_copy(exported: Path, trained: Layout) -> None:
    name = "models/class_unet/1/snapshot_0.safetensors"
    assert (exported / "model" / name).samefile(trained.root / name)
    assert own_code(find_model(exported)) is None
    assert not list(exported.rglob("__pycache__"))


def test_other_code_is_found_in_the_model_or_missed(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for part in ("model", "code"):
        (folder / part).mkdir()
    settings = (exported / "model" / "model.json").read_text()
    (folder / "model" / "model.json").write_text(settings.replace("sha256:", "sha256:0"))
    with pytest.raises(InputError, match="made by other code, which is missing or changed"):
        own_code(folder / "model")
    with pytest.raises(InputError, match=r"holds no model\.json"):
        find_model(tmp_path)


def test_a_missing_snapshot_is_named(trained: Layout, tmp_path: Path) -> None:
    export_model(trained, tmp_path)
    (tmp_path / "model/models/class_unet/0/snapshot_1.safetensors").unlink()
    with pytest.raises(InputError, match=r"class_unet/0/snapshot_1\.safetensors"):
        SaltModel(tmp_path / "model")


@pytest.mark.parametrize("size", [0, 5, 1000])
def test_a_damaged_snapshot_is_named(trained: Layout, tmp_path: Path, size: int) -> None:
    export_model(trained, tmp_path)
    path = tmp_path / "model/models/class_unet/1/snapshot_0.safetensors"
    content = path.read_bytes()[:size]
    path.unlink()  # a link to the file that the other tests read
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"1/snapshot_0\.safetensors: cannot be read") as caught:
        SaltModel(tmp_path / "model")
    assert "\n" not in str(caught.value) and "fetch the model again" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("code", own_code),
        ("code", lambda folder: _load_pyfunc(str(folder))),
        *[(name, SaltModel) for name in ("threshold", "salt_size", "hole_size")],
    ],
)
def test_settings_that_lack_one_are_refused(
    exported: Path, tmp_path: Path, name: str, read: Callable[[Path], object]
) -> None:
    settings = json.loads((exported / "model" / "model.json").read_text())
    del settings[name]
    (tmp_path / "model.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=rf"model\.json: has no {name}; fetch the model again"):
        read(tmp_path)
