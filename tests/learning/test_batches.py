from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from saltseg.crops.crop_set import CropSet, depth
from saltseg.learning.augmentation import augment, create_augmentation
from saltseg.learning.batches import AugmentedBatches, Batch, load_batches
from saltseg.learning.training_sets import LabelledCrops, pool


@pytest.fixture
def labelled(small_crops: CropSet) -> LabelledCrops:
    return LabelledCrops(
        np.array(small_crops.train_images),
        np.array(small_crops.train_masks),
        depth(small_crops.train),
    )


def softened(crops: LabelledCrops, count: int = 7) -> LabelledCrops:
    """Return the first crops with other images and with probabilities for masks."""
    soft = np.where(crops.masks[:count], np.uint8(200), np.uint8(40))
    images = crops.images[:count] ^ np.uint8(1)
    return LabelledCrops(images, crops.masks[:count], crops.depth[:count], soft)


def bytes_of(crops: LabelledCrops, workers: int, first: int = 0, done: int = 0) -> bytes:
    batches = AugmentedBatches(crops, 5, "strong", seed=3, others=softened(crops), drawn=2)
    tensors = [t for batch in load_batches(batches, range(first, 3), workers, done) for t in batch]
    return b"".join(tensor.numpy().tobytes() for tensor in tensors)


def test_workers_and_interruption_change_no_byte(labelled: LabelledCrops) -> None:
    alone = bytes_of(labelled, workers=0)
    assert bytes_of(labelled, workers=2) == alone
    assert alone.endswith(bytes_of(labelled, workers=1, first=2))
    rest = bytes_of(labelled, workers=1, first=1, done=2)
    assert alone.endswith(rest) and len(rest) < len(bytes_of(labelled, workers=0, first=1))


def test_loading_leaves_the_generator_of_torch_alone(labelled: LabelledCrops) -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    bytes_of(labelled, workers=0)
    assert torch.rand(1) == expected


def test_each_epoch_deals_every_crop_once_in_another_order(labelled: LabelledCrops) -> None:
    batches = AugmentedBatches(labelled, 5, "none", seed=3)
    orders = []
    for epoch in (0, 1):
        images = [image for b in range(batches.count) for image in batches[epoch, b][0].numpy()]
        assert sorted(i.tobytes() for i in images) == sorted(i.tobytes() for i in labelled.images)
        orders.append([image.tobytes() for image in images])
    assert orders[0] != orders[1]


def test_a_share_of_each_batch_is_drawn_from_the_others_each_time(labelled: LabelledCrops) -> None:
    others = softened(labelled)
    batches = AugmentedBatches(labelled, 5, "none", seed=3, others=others, drawn=2)
    assert batches.count == 8  # three of the 24 in each
    orders = []
    for epoch in (0, 1):
        parts = [batches[epoch, number] for number in range(batches.count)]
        images = [image.tobytes() for part in parts for image in part[0].numpy()[:3]]
        assert sorted(images) == sorted(image.tobytes() for image in labelled.images)
        assert all({0.0, 1.0} >= set(part[1][:3].unique().tolist()) for part in parts)
        places = [place_in(others, part) for part in parts]
        assert all(len(set(each)) == 2 for each in places)
        counts = np.bincount(np.concatenate(places), minlength=7)
        assert counts.min() >= 2 and counts.max() <= 3  # 16 places for seven crops
        orders.append(places)
    assert orders[0] != orders[1]


def place_in(others: LabelledCrops, batch: Batch) -> list[int]:
    """Find the drawn crops of a batch, and check that their targets are theirs."""
    places = []
    for image, target in zip(batch[0].numpy()[3:], batch[1].numpy()[3:], strict=True):
        (place,) = np.flatnonzero((others.images == image).all(axis=(1, 2)))
        assert others.soft is not None
        np.testing.assert_allclose(target, others.soft[place] / 255, atol=1e-6)
        places.append(int(place))
    return places


def test_of_a_pool_chance_says_how_many_of_each_are_in_a_batch(labelled: LabelledCrops) -> None:
    others = softened(labelled, 12)
    both = pool(labelled, others)
    batches = AugmentedBatches(both, 6, "none", seed=3)
    assert batches.count == 6 and len(both) == 36
    counts = []
    for epoch in range(3):
        parts = [batches[epoch, number] for number in range(batches.count)]
        images = [image.tobytes() for part in parts for image in part[0].numpy()]
        assert sorted(images) == sorted(image.tobytes() for image in both.images)
        soft = [int((~np.isin(part[1], (0, 1))).any(axis=(1, 2)).sum()) for part in parts]
        assert sum(soft) == 12
        counts.append(soft)
    assert len(set(counts[0])) > 1 and counts[0] != counts[1]
    np.testing.assert_array_equal(both.targets(np.arange(24)), labelled.targets(np.arange(24)))
    np.testing.assert_array_equal(both.depth, np.concatenate([labelled.depth, others.depth]))
    hard = pool(labelled, replace(others, soft=None))
    assert hard.soft is None and hard.masks.sum() == labelled.masks.sum() + others.masks.sum()


def test_without_others_a_batch_is_dealt_out_whole(labelled: LabelledCrops) -> None:
    plain = AugmentedBatches(labelled, 5, "light", seed=3)
    none = AugmentedBatches(labelled, 5, "light", seed=3, others=softened(labelled, 0), drawn=0)
    for one, two in zip(plain[2, 1], none[2, 1], strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("preset", "alike"),
    [
        ("flip", 1.0),
        ("light", 0.97),
        ("strong", 0.97),
        ("place1_shift", 0.97),
        ("place1_shear", 0.97),
        ("place2", 0.97),
        ("place15", 0.97),
        ("place9", 0.93),  # a hole of 9% in half the images, where there may be no salt
    ],
)
def test_mask_and_image_move_together(labelled: LabelledCrops, preset: str, alike: float) -> None:
    """An image that is its own mask stays it, within what interpolation blurs."""
    images = labelled.masks.astype(np.uint8) * 255
    moved, masks = augment(create_augmentation(preset), images, images, seed=1)
    assert ((moved > 110) == (masks > 0)).mean() >= alike
    assert (masks != images).any()
    assert set(np.unique(masks)) == {0, 255}


PRESETS = ["flip", "light", "strong", "place1_shift", "place1_shear", "place2", "place9", "place15"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_draws_from_the_seed_alone(labelled: LabelledCrops, preset: str) -> None:
    """Other draws before leave it alone, those of numpy and of Python too."""
    transforms = create_augmentation(preset)
    masks = labelled.targets(np.arange(len(labelled)))
    one = augment(transforms, labelled.images, masks, seed=4)
    other = augment(transforms, labelled.images, masks, seed=5)
    again = augment(transforms, labelled.images, masks, seed=4)
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert (one[0] != other[0]).any()


def test_cutout_hides_at_most_half_of_the_salt_and_leaves_the_mask() -> None:
    """Dots of 12 px lie whole in a hole or not; a whole dot is more than half of the salt."""
    masks = np.zeros((200, 101, 101), np.uint8)
    masks[:, 45:57, 45:57] = 255
    images = np.full(masks.shape, 200, np.uint8)
    changed, kept = augment(create_augmentation("place9"), images, masks, seed=2)
    salt = kept > 0
    hidden = ((changed == 0) & salt).sum((1, 2)) / salt.sum((1, 2))
    holes = (changed == 0).sum((1, 2))
    assert set(np.unique(holes)) == {0, 900}
    assert 0 < hidden.max() <= 0.5
    assert (salt.sum((1, 2)) > 72).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_salt_is_never_turned_upside_down(preset: str) -> None:
    image = np.zeros((40, 101, 101), np.uint8)
    image[:, :20] = 255
    _, masks = augment(create_augmentation(preset), image, image, seed=1)
    above, below = ((half > 0).sum((1, 2)) for half in (masks[:, :50], masks[:, 50:]))
    assert (above >= below).all() and above.sum() > 0


def test_the_15th_place_s_squares_are_only_enlarged() -> None:
    """By at most the root of 1 / 0.64, beside shifts: salt in the middle never shrinks."""
    square = np.zeros((60, 101, 101), np.uint8)
    square[:, 35:65, 35:65] = 255
    _, masks = augment(create_augmentation("place15"), square, square, seed=3)
    heights, widths = ((masks > 0).any(axis=axis).sum(axis=1) for axis in (2, 1))
    whole = (heights >= 30) & (widths >= 30)
    assert whole.mean() > 0.8 and max(heights.max(), widths.max()) <= 39
    assert np.ptp(heights[whole]) > 3


@pytest.mark.parametrize("preset", ["place1_shift", "strong"])
def test_both_axes_are_scaled_alike(preset: str) -> None:
    square = np.zeros((40, 101, 101), np.uint8)
    square[:, 45:56, 45:56] = 255
    _, masks = augment(create_augmentation(preset), square, square, seed=3)
    salt = masks > 127
    # Beyond the border there are mirror images; where they show, more than the square is salt.
    alone = [cv2.connectedComponents(mask.view(np.uint8))[0] == 2 for mask in salt]
    heights, widths = (salt[alone].any(axis=axis).sum(axis=1) for axis in (2, 1))
    assert np.abs(heights - widths).max() <= 1
    assert len(heights) > 20 and np.ptp(heights) > 5
