import numpy as np
import pytest
import torch

from saltseg.augment import augment, create_augmentation
from saltseg.batches import AugmentedBatches, load_batches
from saltseg.crops import CropSet, depth
from saltseg.labelled import LabelledCrops


@pytest.fixture
def labelled(small_crops: CropSet) -> LabelledCrops:
    return LabelledCrops(
        np.array(small_crops.train_images),
        np.array(small_crops.train_masks),
        depth(small_crops.train),
    )


def bytes_of(crops: LabelledCrops, workers: int, first: int = 0, done: int = 0) -> bytes:
    batches = AugmentedBatches(crops, 5, "strong", seed=3)
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


def test_mask_and_image_move_together(labelled: LabelledCrops) -> None:
    """An image that is its own mask stays it, within what interpolation blurs."""
    images = labelled.masks.astype(np.uint8) * 255
    for preset in ("flip", "light", "strong"):
        moved, masks = augment(create_augmentation(preset), images, labelled.masks, seed=1)
        agreement = ((moved > 110) == (masks > 0)).mean()
        assert agreement > 0.97
        assert (masks != labelled.masks).any()


def test_salt_is_never_turned_upside_down() -> None:
    image = np.zeros((40, 101, 101), np.uint8)
    image[:, :20] = 255
    _, masks = augment(create_augmentation("flip"), image, image > 0, seed=1)
    assert (masks[:, :20] == 1).all() and (masks[:, 20:] == 0).all()
