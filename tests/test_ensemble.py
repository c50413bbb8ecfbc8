from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch

from saltseg.crops import CropSet, depth
from saltseg.devices import create_fabric
from saltseg.ensemble import average, find_snapshots, remove_strangers
from saltseg.errors import InputError
from saltseg.layout import Layout
from saltseg.models import create_model
from saltseg.params import Params, parse_params
from saltseg.prediction import predict_all, snapshot_shares
from saltseg.snapshots import save_snapshots
from tests.conftest import shrunk_content


def with_members(**changes: object) -> Params:
    """Two small members, two folds, two snapshots each; no training needed to tell them apart."""
    content = shrunk_content()
    content["models"]["other"] = content["models"]["class_unet"] | {"filters": 3}
    content["train_per_fold"]["members"] = ["class_unet", "other"]
    content["snapshot_ensemble"] |= changes
    return parse_params(content, "params.yaml")


def write_models(layout: Layout, params: Params) -> None:
    for member in params.train_per_fold.members:
        for fold in params.train_per_fold.folds:
            seeds = (10 * fold, 10 * fold + 1)
            networks = [create_model(params.models[member], seed, None) for seed in seeds]
            save_snapshots(layout.model(member, fold), [n.state_dict() for n in networks])


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    write_models(layout, with_members())
    return layout


@pytest.fixture
def folds(small_crops: CropSet) -> pd.DataFrame:
    table = small_crops.train
    return pd.DataFrame({"id": table["id"], "fold": np.arange(len(table)) % 2})


def test_out_of_fold_comes_from_the_models_of_the_crop_s_own_fold(
    layout: Layout, small_crops: CropSet, folds: pd.DataFrame
) -> None:
    params = with_members(member_weights={"other": 3.0}, snapshot_decay=0.5)
    shuffled = folds.sample(frac=1, random_state=0)
    ensemble = average(params, small_crops, shuffled, find_snapshots(layout, params))
    fabric = create_fabric(params.runtime)

    def alone(
        member: str, seed: int, images: npt.NDArray[np.uint8], z: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        network = create_model(params.models[member], seed, None)
        network = network.to(memory_format=torch.channels_last)
        return predict_all(fabric.setup_module(network), images, z, fabric, flip=True)

    z = depth(small_crops.train)
    lines = ensemble.table[["fold", "row"]].to_numpy(int)
    for line, (fold, row) in enumerate(lines[:4]):
        one = slice(row, row + 1)
        expected = sum(
            share
            * weight
            * alone(member, 10 * fold + age, small_crops.train_images[one], z[one])[0]
            for member, share in (("class_unet", 0.25), ("other", 0.75))
            for age, weight in ((0, 1 / 3), (1, 2 / 3))
        )
        assert np.allclose(ensemble.out_of_fold[line], expected, atol=0.01)
    expected_test = sum(
        share
        * weight
        / 2
        * alone(member, 10 * fold + age, small_crops.test_images, depth(small_crops.test))
        for member, share in (("class_unet", 0.25), ("other", 0.75))
        for age, weight in ((0, 1 / 3), (1, 2 / 3))
        for fold in (0, 1)
    )
    assert np.allclose(ensemble.test, expected_test, atol=0.01)


def test_crops_of_untrained_folds_have_no_out_of_fold_prediction(
    layout: Layout, small_crops: CropSet, folds: pd.DataFrame
) -> None:
    content = shrunk_content()
    content["train_per_fold"]["folds"] = [1]
    params = parse_params(content, "params.yaml")
    ensemble = average(params, small_crops, folds, find_snapshots(layout, params))
    assert set(ensemble.table["id"]) == set(folds.loc[folds["fold"] == 1, "id"])
    assert ensemble.out_of_fold.shape == (len(ensemble.table), 101, 101)


def test_what_is_missing_is_named(layout: Layout) -> None:
    (layout.model("other", 1) / "snapshot_0.safetensors").unlink()
    with pytest.raises(InputError, match=r"1 snapshots are missing: .*other/1/snapshot_0"):
        find_snapshots(layout, with_members())


def test_a_snapshot_too_much_is_named(layout: Layout) -> None:
    folder = layout.model("other", 1)
    (folder / "snapshot_2.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"not of this training: .*other/1/snapshot_2"):
        find_snapshots(layout, with_members())


def test_models_of_a_shrunken_matrix_are_removed(layout: Layout, shrunk_params: Params) -> None:
    assert remove_strangers(layout, with_members()) == []
    removed = remove_strangers(layout, shrunk_params)
    assert removed == [layout.model("other", 0), layout.model("other", 1)]
    assert [path.name for path in layout.models.iterdir()] == ["class_unet"]


def test_shares_fall_with_age_and_sum_to_one() -> None:
    assert snapshot_shares(3, 0.5) == pytest.approx([1 / 7, 2 / 7, 4 / 7])
    assert snapshot_shares(4, 1.0) == [0.25] * 4
