import shutil
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations, product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch

from saltseg.config.params import Params, parse_params
from saltseg.config.schema import ALL, Fold
from saltseg.crops.crop_set import CropSet, depth, save_crops
from saltseg.inference.ensemble import (
    average,
    find_predicting,
    find_snapshots,
    load_outside_members,
    load_parts,
)
from saltseg.inference.plain_prediction import predict_plainly
from saltseg.inference.predictor import predict_all, snapshot_shares
from saltseg.inference.weighted_ensemble import average_greedily
from saltseg.models import SaltNetwork, create_model
from saltseg.models.devices import create_fabric
from saltseg.models.snapshots import save_snapshots
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.selection.greedy_weights import with_weights
from saltseg.serving.onnx_network import pipeline_network
from tests.conftest import shrunk_content
from tests.helpers.trained import sharpened

MEMBERS = ("class_unet", "other")

TOLERANCE = 1e-5
"""What rounding of float32 may change in a probability."""


def with_members(folds: Sequence[Fold] = (0, 1), **changes: object) -> Params:
    """Two small members that read depth, two folds, two snapshots each."""
    content = shrunk_content()
    content["runtime"] |= {"accelerator": "cpu", "precision": "float32"}
    content["models"]["class_unet"]["input"]["channels"] = ["image", "depth"]
    content["models"]["other"] = content["models"]["class_unet"] | {"filters": 3}
    content["train_per_fold"] |= {"members": list(MEMBERS), "folds": list(folds)}
    content["snapshot_ensemble"] |= changes
    return parse_params(content, "params.yaml")


def random_network(params: Params, member: str, fold: Fold, age: int) -> SaltNetwork:
    """No training is needed to tell them apart, by crop and depth too."""
    number = 2 if fold == ALL else fold
    network = create_model(params.models[member], 10 * number + age, None)
    network.load_state_dict(sharpened(network.state_dict()))
    return network


def write_models(layout: Layout, params: Params) -> None:
    for member in params.train_per_fold.members:
        for fold in params.train_per_fold.folds:
            networks = [random_network(params, member, fold, age) for age in (0, 1)]
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


Prediction = Callable[[str, Fold, int], npt.NDArray[np.float32]]
"""What the network of a member, fold and age predicts for some crops."""


def predictions(
    params: Params, images: npt.NDArray[np.uint8], z: npt.NDArray[np.float32]
) -> Prediction:
    fabric = create_fabric(params.runtime)

    @cache
    def prediction(member: str, fold: Fold, age: int) -> npt.NDArray[np.float32]:
        network = fabric.setup_module(random_network(params, member, fold, age))
        return predict_all(network, images, z, fabric, flip=True)

    return prediction


def test_out_of_fold_comes_from_the_models_of_the_crop_s_own_fold(
    layout: Layout, small_crops: CropSet, folds: pd.DataFrame
) -> None:
    params = with_members(member_weights={"other": 3.0}, snapshot_decay=0.5)
    shuffled = folds.sample(frac=1, random_state=0)
    ensemble = average(params, small_crops, shuffled, find_snapshots(layout, params))
    train = predictions(params, small_crops.train_images, depth(small_crops.train))
    test = predictions(params, small_crops.test_images, depth(small_crops.test))

    for line, (fold, row) in enumerate(ensemble.table[["fold", "row"]].to_numpy(int)):
        alone = {
            member: train(member, fold, 0)[row] / 3 + train(member, fold, 1)[row] * 2 / 3
            for member in MEMBERS
        }
        for member, expected in alone.items():
            found = ensemble.members[member][line]
            np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
        mean = 0.25 * alone["class_unet"] + 0.75 * alone["other"]
        np.testing.assert_allclose(ensemble.out_of_fold[line], mean, rtol=0, atol=TOLERANCE)
    expected_test = sum(
        share * weight / 2 * test(member, fold, age)
        for member, share in (("class_unet", 0.25), ("other", 0.75))
        for age, weight in ((0, 1 / 3), (1, 2 / 3))
        for fold in (0, 1)
    )
    np.testing.assert_allclose(ensemble.test, expected_test, rtol=0, atol=TOLERANCE)


def test_a_wrong_network_crop_or_depth_would_show(small_crops: CropSet) -> None:
    params = with_members()
    images, z = small_crops.train_images, depth(small_crops.train)
    right = predictions(params, images, z)
    deeper = predictions(params, images, z + 100)
    names = list(product(MEMBERS, (0, 1), (0, 1)))
    pairs = [(right(*one), right(*another)) for one, another in combinations(names, 2)]
    pairs += [(right(*name), np.roll(right(*name), 1, axis=0)) for name in names]
    pairs += [(right(*name), deeper(*name)) for name in names]
    for one, another in pairs:
        assert np.abs(one - another).max(axis=(1, 2)).min() > 10 * TOLERANCE


def test_crops_of_untrained_folds_have_no_out_of_fold_prediction(
    layout: Layout, small_crops: CropSet, folds: pd.DataFrame
) -> None:
    params = with_members(folds=[1])
    ensemble = average(params, small_crops, folds, find_snapshots(layout, params))
    assert set(ensemble.table["id"]) == set(folds.loc[folds["fold"] == 1, "id"])
    assert ensemble.out_of_fold.shape == (len(ensemble.table), 101, 101)
    test = predictions(params, small_crops.test_images, depth(small_crops.test))
    expected = np.mean([test(member, 1, age) for member in MEMBERS for age in (0, 1)], axis=0)
    np.testing.assert_allclose(ensemble.test, expected, rtol=0, atol=TOLERANCE)


def test_networks_of_all_folds_predict_new_crops_alone(
    tmp_path: Path, small_crops: CropSet, folds: pd.DataFrame
) -> None:
    """Twice over, and as the plain prediction before a submission and the models do."""
    layout, params = Layout(tmp_path), with_members([1, ALL, 0], member_weights={"other": 3.0})
    write_models(layout, params)
    snapshots = find_snapshots(layout, params)
    assert [*snapshots] == [*product(MEMBERS, (1, ALL, 0))]
    ensemble = average(params, small_crops, folds, snapshots)
    held_out = {key: paths for key, paths in snapshots.items() if key[1] != ALL}
    without = average(with_members(member_weights={"other": 3.0}), small_crops, folds, held_out)
    np.testing.assert_array_equal(ensemble.out_of_fold, without.out_of_fold)
    assert ensemble.scores(small_crops.train_masks) == without.scores(small_crops.train_masks)
    test = predictions(params, small_crops.test_images, depth(small_crops.test))
    expected = sum(
        share / 2 * test(member, ALL, age)
        for member, share in (("class_unet", 0.25), ("other", 0.75))
        for age in (0, 1)
    )
    np.testing.assert_allclose(ensemble.test, expected, rtol=0, atol=TOLERANCE)
    for fold in (0, 1):
        for member in MEMBERS:
            shutil.rmtree(layout.model(member, fold))
    save_crops(layout.data("ingest"), small_crops)
    plain = predict_plainly(layout, params, [0, 5])
    np.testing.assert_allclose(plain, ensemble.test[[0, 5]], rtol=0, atol=TOLERANCE)
    parts = [*load_parts(params, find_predicting(layout, params))]
    mean = sum(
        part.test_share * part.predict(small_crops.test_images, depth(small_crops.test))
        for part in parts
    )
    np.testing.assert_allclose(mean, ensemble.test, rtol=0, atol=TOLERANCE)
    network = pipeline_network(layout, params)
    with torch.inference_mode():
        images = torch.from_numpy(small_crops.test_images[:2].copy())
        exported = network(images, torch.from_numpy(depth(small_crops.test)[:2]))
    np.testing.assert_allclose(exported, ensemble.test[:2], rtol=0, atol=TOLERANCE)


def test_what_is_missing_is_named(layout: Layout) -> None:
    (layout.model("other", 1) / "snapshot_0.safetensors").unlink()
    with pytest.raises(InputError, match=r"1 snapshots are missing: .*other/1/snapshot_0"):
        find_snapshots(layout, with_members())


def test_a_snapshot_too_much_is_named(layout: Layout) -> None:
    folder = layout.model("other", 1)
    (folder / "snapshot_2.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match=r"do not belong to this training: .*other/1/snapshot_2"):
        find_snapshots(layout, with_members())


def test_a_file_that_is_half_written_is_no_snapshot(layout: Layout) -> None:
    (layout.model("other", 1) / ".snapshot_0.999999999.safetensors").write_bytes(b"")
    assert len(find_snapshots(layout, with_members())) == 4


def test_shares_fall_with_age_and_sum_to_one() -> None:
    assert snapshot_shares(3, 0.5) == pytest.approx([1 / 7, 2 / 7, 4 / 7])
    assert snapshot_shares(4, 1.0) == [0.25] * 4


def write_outside(
    layout: Layout,
    crops: CropSet,
    folds: pd.DataFrame,
    train: npt.NDArray[np.generic],
    test: npt.NDArray[np.generic],
) -> None:
    """Write a member from outside, its crops in an order of its own."""
    draws = np.random.default_rng(0)
    order, test_order = draws.permutation(len(train)), draws.permutation(len(test))
    folder = layout.outside("kaggle")
    folder.mkdir(parents=True)
    np.save(folder / "out_of_fold.npy", train[order])
    crops.train.merge(folds, on="id").loc[order].to_csv(folder / "out_of_fold.csv")
    np.save(folder / "test.npy", test[test_order])
    crops.test.loc[test_order].to_csv(folder / "test.csv")


def test_members_from_outside_join_the_mean_by_their_weights(
    layout: Layout, small_crops: CropSet, folds: pd.DataFrame
) -> None:
    """In whatever order they come, and as the plain prediction before a submission has them."""
    draws = np.random.default_rng(1)
    halves = draws.random(small_crops.train_images.shape).astype(np.float16)
    bytes_ = draws.integers(0, 256, small_crops.test_images.shape).astype(np.uint8)
    write_outside(layout, small_crops, folds, halves, bytes_)

    params = with_members([1], outside=["kaggle"], member_weights={"kaggle": 2.0})
    snapshots = find_snapshots(layout, params)
    outside = load_outside_members(layout, params, small_crops, folds)
    assert outside["kaggle"].folds_known
    ensemble = average(params, small_crops, folds, snapshots, outside)
    alone = average(with_members([1]), small_crops, folds, snapshots)

    own = halves[ensemble.table["row"]].astype(np.float32)
    np.testing.assert_array_equal(ensemble.members["kaggle"], own)
    expected = (alone.out_of_fold + own) / 2
    np.testing.assert_allclose(ensemble.out_of_fold, expected, rtol=0, atol=TOLERANCE)
    expected = (alone.test + bytes_ / np.float32(255)) / 2
    np.testing.assert_allclose(ensemble.test, expected, rtol=0, atol=TOLERANCE)
    assert "score_at_half_kaggle" in ensemble.scores(small_crops.train_masks)
    save_crops(layout.data("ingest"), small_crops)
    plain = predict_plainly(layout, params, [0, 5])
    np.testing.assert_allclose(plain, ensemble.test[[0, 5]], rtol=0, atol=TOLERANCE)


def test_greedy_weights_are_nested_out_of_fold_and_overall_on_test_crops(
    layout: Layout, small_crops: CropSet, folds: pd.DataFrame
) -> None:
    """And those of the plain prediction before a submission."""
    params = with_members(greedy_weights=True)
    folds = folds.assign(mosaic=folds["id"])
    snapshots = find_snapshots(layout, params)
    ensemble = average_greedily(params, small_crops, folds, snapshots, {})
    assert ensemble.weights is not None
    for fold, shares in ensemble.weights.by_part.items():
        own = (ensemble.table["fold"] == fold).to_numpy()
        expected = sum(shares[name] * ensemble.members[name][own] for name in MEMBERS)
        np.testing.assert_allclose(ensemble.out_of_fold[own], expected, rtol=0, atol=TOLERANCE)
    equal = average(with_members(), small_crops, folds, snapshots)
    for name in MEMBERS:
        np.testing.assert_array_equal(ensemble.members[name], equal.members[name])
    fixed = with_weights(params, ensemble.weights)
    same = average(fixed, small_crops, folds, snapshots)
    np.testing.assert_allclose(ensemble.test, same.test, rtol=0, atol=TOLERANCE)
    save_crops(layout.data("ingest"), small_crops)
    ensemble.save(layout.data("snapshot-ensemble"))
    plain = predict_plainly(layout, params, [0, 5])
    np.testing.assert_allclose(plain, ensemble.test[[0, 5]], rtol=0, atol=TOLERANCE)


def test_networks_without_weight_predict_no_test_crops(
    layout: Layout, small_crops: CropSet, folds: pd.DataFrame
) -> None:
    said = np.random.default_rng(1).random(small_crops.test_images.shape).astype(np.float32)
    write_outside(layout, small_crops, folds, small_crops.train_masks * np.uint8(255), said)
    params = with_members([1], outside=["kaggle"], greedy_weights=True)
    outside = load_outside_members(layout, params, small_crops, folds)
    snapshots = find_snapshots(layout, params)
    table = folds.assign(mosaic=folds["id"])
    ensemble = average_greedily(params, small_crops, table, snapshots, outside)
    assert ensemble.weights is not None
    assert ensemble.weights.overall == {"class_unet": 0, "other": 0, "kaggle": 1}
    np.testing.assert_array_equal(ensemble.test, said)
    save_crops(layout.data("ingest"), small_crops)
    ensemble.save(layout.data("snapshot-ensemble"))
    np.testing.assert_allclose(predict_plainly(layout, params, [0, 5]), said[[0, 5]], atol=1e-7)
